// What the column of events asks the server: events, what they need, how places are scored, what both cities sign. Loaded with that column only.
import { ask, json, part, root, send, ServerProblem } from "./client";

export interface Both { ko: string; en: string }
/** Where a number comes from. */
export type From = "measured" | "stated" | "assumed" | "computed" | (string & {});
export type Kind = "festival" | "performance" | "market" | "conference";
export const KINDS: readonly Kind[] = ["festival", "performance", "market", "conference"];

export interface Part { id: string; start: string; end: string; stage: string; title: Both; performers: string[]; section: string; about: Both }
export interface Section { id: string; title: Both }
export interface Delegation { id: string; name: string; city: string; size: number; wishes: string[]; section: string }
export interface Meeting { a: string; b: string; start: string; end: string; room: number }
/** A stage: degrees, metres, the direction that it faces from north clockwise, LAeq at 10 m. */
export interface StageOf { lon: number; lat: number; heading_deg: number; width_m: number; depth_m: number; height_m: number; level_db: number; audience_m: number; source: string }
/** A stand: degrees, metres, the direction that its counter faces from north clockwise. */
export interface Stand { id: string; name: Both; lon: number; lat: number; heading_deg: number; width_m: number; depth_m: number; products: string[]; power: boolean | null; water: boolean | null }
export interface Works { temporary_m2: number; fire: boolean; gas: boolean; on_water: boolean; food: boolean; fireworks: boolean; road_closed: boolean }
export interface Venue { name: Both; venue: string; lon: number; lat: number }

/** An event as it is written. */
export interface EventText {
  kind: Kind;
  title: Both;
  about: Both;
  /** DID of the city on whose ground it is; empty where it is our own. */
  host: string;
  agreement: string;
  place: Venue;
  start: string;
  end: string;
  organiser: { name: string; department: string };
  programme: Part[];
  sections: Section[];
  delegations: Delegation[];
  meetings: Meeting[];
  /** `error`: ±, of four in five. */
  visitors: { expected: number; error: number; source: From; note: string };
  stage: StageOf | null;
  stands: Stand[];
  works: Works;
  plan: { job: string; layers: Record<string, string>; made: string } | null;
}
export type EventState = "draft" | "proposed" | "agreed" | "declined" | "ended" | "cancelled" | "settled" | "listed";
export type Origin = "own" | "partner" | "listing";
export interface EventWhole extends EventText {
  id: string;
  revision: number;
  state: EventState;
  /** DID of the partner that told of it; empty for our own. */
  peer: string;
  /** The joint document that both cities sign; empty where there is none. */
  joint: string;
  origin: Origin;
  /** Why it was declined or called off. */
  why: string;
  all_day: boolean;
  /** Of a listing. */
  source: ListedFrom | null;
  listing: Record<string, string> | null;
  findings: EventFinding[];
  author: { name: string; kind?: string; verified?: boolean } | null;
  at: string | null;
}
export interface ListedFrom { layer: string; row?: string; title: string; publisher: string; licence: string; attribution: string; url: string; date: string }
/** What an officer should know of an event, and of which member ("stands[0]"; empty for the whole). */
export interface EventFinding { code: string; level: Level; member: string; text: Both }
export interface EventBrief {
  id: string;
  kind: Kind | (string & {});
  title: Both;
  place: Omit<Venue, "lon" | "lat"> & { lon: number | null; lat: number | null };
  start: string;
  end: string;
  all_day: boolean;
  state: EventState;
  origin: Origin;
  /** `null` of a listing: nobody has told. */
  visitors: { expected: number; error: number; source: From; note: string } | null;
  stands: number;
  stage: boolean;
  joint: string;
  host: string;
  agreement: string;
  revision: number;
  link: string;
}
export interface VisitorsAnswer {
  /** Who come in each hour, and the most that are there at a moment of it. */
  hours: { start: string; expected: number; low: number; high: number; there?: number; there_low?: number; there_high?: number }[];
  /** The hour in which most are there. */
  peak: { start: string; expected: number; low: number; high: number } | null;
  total: { expected: number; low: number; high: number } | null;
  basis: { code: string; text: Both; source: From }[];
}
export interface Duty {
  code: string;
  title: Both;
  required: boolean;
  why: Both;
  threshold: { value: number; unit: string } | null;
  value: number | null;
  source: { title: string; article: string; url: string; date: string };
  confirm: boolean;
  until: string | null;
  /** The day is over by now. */
  late?: boolean;
  authority?: Both;
  until_from?: string;
}
export interface MeetingsAnswer { meetings: Meeting[]; unmatched: { a?: string; b?: string; why: Both | string; [other: string]: unknown }[]; [other: string]: unknown }
export interface ImportAnswer { made: string[]; refused: { what: string; why: string }[] }

// -- how a place does
export type Level = "bad" | "warn" | "info";
export interface Found { code: string; text: Both; level: Level; row?: string }
export interface ScorePart { code: string; title?: Both; value: number | boolean | null; unit: string; score: number | null; weight: number; known: boolean; source: From }
export interface StandHour { hour: number; passers: number | null; low: number | null; high: number | null; sun_produce_min: number | null; sun_queue_min: number | null }
export interface StandScore { score: number | null; parts: ScorePart[]; hours: StandHour[]; findings: Found[] }
export interface StageScore {
  score: number | null;
  parts: ScorePart[];
  hours: { hour: number; audience_sun_share: number | null }[];
  /** The loudest buildings, loudest first; an empty id where the agreement does not reach the buildings. */
  sound: { building: string; lon: number; lat: number; distance_m?: number; level_db: number; screening_db: number; error_db?: number }[];
  limit?: { value_db: number; hour: number; zone: Both; title: Both; article: string; url: string; date: string; confirm: boolean };
  findings: Found[];
}
export type DayType = "weekday" | "saturday" | "holiday";
export interface When { day: string; from_h: number; to_h: number; day_type: DayType }
export type StandPlace = Pick<Stand, "lon" | "lat" | "heading_deg" | "width_m" | "depth_m"> & Partial<Pick<Stand, "id" | "name" | "power" | "water">>;

export interface Side { owner: string; department: string; budget: number }
export type AnswerMove = "agree" | "decline" | "withdraw" | "end";

const at = (twin: string, ...path: string[]) => [root(twin), ...path.map(part)].join("/");

export const eventsApi = {
  list: (twin: string, params: { from?: string; until?: string; kind?: string; origin?: string } = {}) =>
    json<{ events: EventBrief[] }>(at(twin, "events"), params).then((a) => a.events),
  /** Events, and where the listings among them are from. */
  all: (twin: string) => json<{ events: EventBrief[]; sources?: ListedFrom[] }>(at(twin, "events")),
  get: (twin: string, id: string) => json<EventWhole>(at(twin, "events", id)),
  make: (twin: string, event: EventText, author: string) => send<EventWhole>("POST", at(twin, "events"), { event, author }),
  put: (twin: string, id: string, event: EventText, revision: number, author: string) =>
    send<EventWhole>("PUT", at(twin, "events", id), { event, author }, { "if-match": `"${revision}"` }),
  remove: (twin: string, id: string, why: string) => send<unknown>("DELETE", `${at(twin, "events", id)}?why=${part(why)}`),
  visitors: (twin: string, id: string) => json<VisitorsAnswer>(at(twin, "events", id, "visitors")),
  duties: (twin: string, id: string) => json<{ duties: Duty[] }>(at(twin, "events", id, "duties")).then((a) => a.duties),
  calendar: (twin: string, id?: string) => (id ? at(twin, "events", id, "calendar.ics") : at(twin, "events.ics")),
  async take(twin: string, file: Blob): Promise<ImportAnswer> {
    return (await (await ask(at(twin, "events", "import"), { method: "POST", headers: { "content-type": "text/calendar" }, body: file })).json()) as ImportAnswer;
  },
  meet: (twin: string, id: string, body: { slots: { start: string; end: string }[]; rooms: number }) => send<MeetingsAnswer>("POST", at(twin, "events", id, "meetings"), body),
  propose: (twin: string, id: string, body: { agreement: string; ours: Side; theirs?: Side; author: string }) => send<EventWhole>("POST", at(twin, "events", id, "proposal"), body),
  answer: (twin: string, id: string, body: { move: AnswerMove; digest: string; reason: string; ours?: Side; author: string }) =>
    send<EventWhole>("POST", at(twin, "events", id, "answer"), body),
  /** How a stand does at a place; `door`: our own twin, or the address of what a partner lets us use. */
  async stand(door: string, inputs: When & { stand: StandPlace; others: StandPlace[]; stage: StageOf | null }, signal?: AbortSignal): Promise<StandScore> {
    return (await (await ask(`${root(door)}/stands/score`, posted(inputs, signal))).json()) as StandScore;
  },
  async stage(door: string, inputs: Omit<When, "day_type"> & { stage: StageOf }, signal?: AbortSignal): Promise<StageScore> {
    return (await (await ask(`${root(door)}/stages/score`, posted(inputs, signal))).json()) as StageScore;
  },
};
const posted = (inputs: unknown, signal?: AbortSignal): RequestInit => ({
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ inputs }), ...(signal ? { signal } : {}),
});
export { ServerProblem };
