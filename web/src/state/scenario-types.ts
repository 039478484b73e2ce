import type { ComputedRef } from "vue";
import type { Entry, FindingsAnswer, ImportNote, Me, PlanOp, ScenarioHead } from "../api/plan";
import type { Deed } from "./scenario-journal";
import type { Ring, Solid, XY } from "./scenario-shape";

/** A footprint that is being drawn. */
export interface Draft {
  points: Ring;
  cursor: XY | null;
  closed: boolean;
  height_m: number;
  storey_m: number;
  /** Where it crosses itself, or leaves the city's data. */
  trouble: XY | null;
  outside: boolean;
  /** What it would be, once closed. */
  solid: Solid | null;
}

/** A building in the hand: what it was, what it is, and what was done to it. */
export interface Hand { id: string; from: Solid; solid: Solid; move: [number, number]; turn_deg: number; height_m: number; changed: boolean }

/** One place with comments. */
export interface Pin { key: string; lon: number; lat: number; object: string; count: number }
export interface Person { client: string; name: string; verified: boolean; object: string; mine: boolean }
/** Somebody wrote the same object since we looked: both states, and a choice. */
export interface Conflict { object: string; mine: PlanOp; theirs: Entry[]; revision: number }
/** A line of the list of edits. */
export interface Line { entry: Entry; deed: Deed[]; op: PlanOp | null; before: PlanOp | undefined; takenBack: boolean }
/** A file that waits for its place. */
export interface Import { file: File; lon: number | null; lat: number | null; heading_deg: number; busy: boolean; problem: string; /** It does not know where it stands. */ needsPlace: boolean }
/** What came of a file, and what was made simpler of it. */
export interface Imported { name: string; count: number; notes: ImportNote[] }
export type ToolName = "choose" | "draw" | "pin" | "place";
export interface Comment { seq: number; text: string; author: { name: string; verified: boolean }; at: string; object: string; lon: number | null; lat: number | null }

export interface PlanningNow {
  list: ScenarioHead[];
  listed: boolean;
  busy: boolean;
  me: Me | null;
  signedIn: boolean;
  /** The name that somebody without a token goes by. */
  author: string;
  head: ScenarioHead | null;
  entries: Entry[];
  /** Edited buildings as the server has them. */
  edited: Map<string, Solid>;
  gone: Set<string>;
  /** Outlines of what was there before. */
  ghosts: Map<string, Ring[]>;
  heights: Map<string, number>;
  findings: FindingsAnswer | null;
  comments: Comment[];
  pins: Pin[];
  people: Person[];
  live: boolean;
  tool: ToolName;
  /** Right angles without the key. */
  square: boolean;
  draft: Draft | null;
  hand: Hand | null;
  conflict: Conflict | null;
  /** A line to show when something could not be done. */
  trouble: string;
  /** What was just done, for those who listen. */
  said: { deed: string; object: string; height_m: number; count: number } | null;
  importing: Import | null;
  imported: Imported | null;
  pinned: { lon: number; lat: number; object: string } | null;
  openPin: string | null;
  approval: { id: string; status: string; progress: number | null; message: string } | null;
  wantMiddle: number;
  wantView: number;
  view: Record<string, number> | null;
}

export interface Planning {
  readonly now: PlanningNow;
  /** What is drawn beside the city: edited and added buildings, the one in the hand as it is now. */
  readonly drawn: ComputedRef<Map<string, Solid>>;
  readonly chosen: ComputedRef<Solid | null>;
  /** Whether the caller may change the open plan. */
  readonly may: ComputedRef<boolean>;
  readonly lines: ComputedRef<Line[]>;
  readonly steps: ComputedRef<{ undo: Entry | null; redo: Entry | null }>;
  solidOf(id: string): Solid | null;
  refresh(): Promise<void>;
  open(id: string | null): Promise<void>;
  create(name: string): Promise<void>;
  branch(name: string): Promise<void>;
  rename(name: string): Promise<void>;
  withdraw(): Promise<void>;
  signIn(token: string): Promise<boolean>;
  signOut(): Promise<void>;
  setAuthor(name: string): void;
  use(tool: ToolName): void;
  choose(id: string): void;
  take(id: string): void;
  push(east: number, north: number): void;
  turn(deg: number, step: number): void;
  heighten(height_m: number, wholeStoreys: boolean): void;
  /** Lets go of what is in the hand; `true` keeps what was done. */
  let(keep: boolean): Promise<void>;
  set(fields: { height_m?: number; storey_m?: number; name?: string; function?: string; move?: [number, number]; turn_deg?: number }): Promise<void>;
  remove(): Promise<void>;
  copy(): Promise<void>;
  undo(): Promise<void>;
  redo(): Promise<void>;
  takeBack(seq: number): Promise<void>;
  corner(p: XY): void;
  point(p: XY | null): void;
  back(): void;
  close(): void;
  raise(height_m: number, wholeStoreys: boolean): void;
  draftStorey(storey_m: number): void;
  finish(): Promise<void>;
  cancel(): void;
  addRectangle(width: number, depth: number, storeys: number, storey_m: number, turn_deg: number): void;
  middle(p: XY): void;
  pinAt(at: { lon: number; lat: number; object: string }): void;
  openPin(key: string): void;
  comment(text: string): Promise<boolean>;
  findings(): Promise<void>;
  resolve(mine: boolean): Promise<void>;
  importFile(file: File | null): void;
  /** Where the north of the file points, clockwise. */
  aim(heading_deg: number): void;
  place(): Promise<void>;
  dropImported(): void;
  dropApproval(): void;
  approve(why: string): Promise<void>;
  show(id: string): void;
  key(event: KeyboardEvent): boolean;
  globalKey(event: KeyboardEvent): boolean;
}
