import { shallowReactive } from "vue";

/** Who did something, as the server knows it: a verified person, or a name that somebody typed. */
export interface Author { name: string; kind: string; verified: boolean }

/** One edit in force: the operation as the server keeps it (metres of the twin's frame), and who made it when. */
export interface PlanEdit {
  /** Revision that it made. */
  revision: number;
  /** The operation: `add`, `replace`, `set` or `remove`, with the object it is about. */
  edit: { op: string; object: string } & Record<string, unknown>;
  author: Author | null;
  made: string;
}

/** The scenario that the page holds. Replaced as a whole when a revision arrives. */
export interface CurrentScenario {
  id: string;
  revision: number;
  name: string;
  /** Edits in force, one an object. */
  edits: PlanEdit[];
}

/** What is being planned; small, because everything may read it. The work is in `state/scenario.ts`, brought when the column opens. */
export interface PlanNow {
  /** Whether the plan's column is open. */
  open: boolean;
  tab: "plan" | "result";
  /** The scenario a link asks for. */
  wanted: string | null;
  current: CurrentScenario | null;
}

/** A grid laid over the ground: picture tiles of the web-mercator scheme. */
export interface GroundGrid {
  /** Address with `{z}`, `{x}`, `{y}`; of a grid that the page draws itself, any text that names the picture. */
  url: string;
  /** Draws a tile where the page has the values (two variants on one scale, a difference); `null` where there is nothing. */
  draw?: (z: number, x: number, y: number) => HTMLCanvasElement | null;
  /** West, south, east, north, degrees. */
  rectangle: [number, number, number, number];
  /** 0…1 */
  opacity: number;
}

export function createPlanNow(wanted: string | null | undefined): PlanNow {
  return shallowReactive({ open: wanted != null, tab: "plan", wanted: wanted || null, current: null });
}
