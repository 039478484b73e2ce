// What the column of plans asks the server: scenarios, their journal, who is there. Loaded with that column only.
import { ask, fetchHeaders, json, part, send, ServerProblem } from "./client";
import type { Names } from "./types";

export interface Author { name: string; kind: string; verified: boolean }
/** One operation of an edit; lengths in metres of the twin's frame. */
export type PlanOp = { op: string; object: string } & Record<string, unknown>;
/** An entry of a scenario's journal. */
export interface Entry {
  seq: number;
  kind: string;
  object: string;
  author: Author;
  at: string;
  client: string;
  edit?: PlanOp | null;
  /** Of an undo: what it takes back. */
  entry?: number | null;
  text?: string | null;
  lon?: number | null;
  lat?: number | null;
}
export interface ScenarioHead {
  id: string;
  name: string;
  about: string;
  state: string;
  revision: number;
  parent: string | null;
  parent_revision: number | null;
  author: Author;
  created: string;
  updated: string;
  edits?: number;
  /** The twin has other buildings by now. */
  moved?: boolean;
  decision?: { who: Author; at: string; why: string; revision: number } | null;
}
export interface Journal { revision: number; entries: Entry[]; in_force: PlanOp[] }
export interface Me { kind: string; name: string; role: string; may: string[] }
/** A finding with its numbers: what was found, what is allowed, by how much it is passed, what it was without the plan. */
export interface PlanFinding {
  object: string;
  code: string;
  message: Names;
  value: number | null;
  allowed: number | null;
  excess: number | null;
  unit: string;
  severity: "info" | "warning" | "error";
  zone: string;
  before: number | null;
  other: string;
}
export interface FindingsAnswer { findings: PlanFinding[]; method?: Names; zones?: { id: string; example?: boolean; note?: Names | null }[] }
export interface Presence { client: string; author: Author; object: string; at: string }
export interface PlanPart { outline: [number, number][]; holes: [number, number][][]; base_m: number; eave_m: number; top_m: number; roof_shape: string; roof_direction_deg: number | null }
export interface PlanObject { id: string; properties: { name: string | null; function: string | null; height_m: number; storey_m: number | null; area_m2: number | null; op: string; parts: PlanPart[] } }
export interface PlanObjects { features: PlanObject[]; removed: string[]; revision: number }
export interface Written { revision: number; entries: Entry[] }
/** What was odd in a file, or was made simpler. */
export interface ImportNote { code: string; what: string; object: string }
export interface ImportAnswer extends Written { kind: string; notes: ImportNote[] }
export interface JobTold { jobID: string; status: string; progress?: number | null; message?: string | null; stage?: string | null }

const path = (twin: string, scenario = "", rest = "") =>
  `/twins/${part(twin)}/scenarios${scenario ? `/${part(scenario)}` : ""}${rest ? `/${rest}` : ""}`;

export const planApi = {
  me: (twin: string) => json<Me>(`/twins/${part(twin)}/me`),
  list: (twin: string) => json<{ scenarios: ScenarioHead[] }>(path(twin)).then((a) => a.scenarios),
  get: (twin: string, id: string) => json<ScenarioHead>(path(twin, id)),
  create: (twin: string, body: { name: string; author: string }) => send<ScenarioHead>("POST", path(twin), body),
  branch: (twin: string, id: string, body: { name: string; author: string }) => send<ScenarioHead>("POST", path(twin, id, "branches"), body),
  change: (twin: string, id: string, body: { name?: string; about?: string; author: string }) => send<ScenarioHead>("PATCH", path(twin, id), body),
  withdraw: (twin: string, id: string, author: string) => send<null>("DELETE", `${path(twin, id)}?author=${part(author)}`),
  journal: (twin: string, id: string, since: number) => json<Journal>(path(twin, id, "edits"), { since }),
  edit: (twin: string, id: string, body: { edits: PlanOp[]; undo: number[]; seen: number; client: string; author: string }) =>
    send<Written>("POST", path(twin, id, "edits"), body),
  /** What others wrote meanwhile, out of the answer that said so; `null` for any other conflict. */
  theirs(error: ServerProblem): { entries: Entry[]; revision: number } | null {
    const { conflicts, revision } = error.problem as { conflicts?: Entry[]; revision?: number };
    return conflicts?.length && revision !== undefined ? { entries: conflicts, revision } : null;
  },
  objects: (twin: string, id: string, ids?: string) => json<PlanObjects>(path(twin, id, "objects"), ids ? { ids } : undefined),
  eventsPath: (twin: string, id: string, since: number) => `${path(twin, id, "events")}?since=${since}`,
  comments: (twin: string, id: string) => json<{ comments: Entry[] }>(path(twin, id, "comments")).then((a) => a.comments),
  comment: (twin: string, id: string, body: { text: string; object?: string; lon?: number; lat?: number; author: string }) =>
    send<Entry>("POST", path(twin, id, "comments"), body),
  here: (twin: string, id: string, body: { client: string; object: string; author: string; leaves?: boolean }) =>
    send<{ present: Presence[] }>("POST", path(twin, id, "presence"), body).then((a) => a.present),
  /** The page goes away: said without waiting for an answer. */
  farewell(twin: string, id: string, client: string): void {
    const body = JSON.stringify({ client, leaves: true });
    void fetch(path(twin, id, "presence"), { method: "POST", keepalive: true, headers: { "content-type": "application/json", ...fetchHeaders() }, body }).catch(() => undefined);
  },
  findings: (twin: string, id: string) => json<FindingsAnswer>(path(twin, id, "findings")),
  /** A file of buildings; `at` says where it stands, where the file itself does not. */
  async importFile(twin: string, id: string, file: File, at: { lon: number | null; lat: number | null; heading_deg: number; seen: number; client: string; author: string }): Promise<ImportAnswer> {
    const query = new URLSearchParams({ seen: String(at.seen), client: at.client });
    if (at.author) query.set("author", at.author);
    query.set("name", file.name.replace(/\.[^.]+$/, "").slice(0, 200));
    if (at.lon !== null && at.lat !== null) {
      query.set("lon", at.lon.toFixed(8));
      query.set("lat", at.lat.toFixed(8));
      query.set("heading_deg", String(at.heading_deg));
    }
    const answer = await ask(`${path(twin, id, "imports")}?${query}`, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file });
    return (await answer.json()) as ImportAnswer;
  },
  approve: (twin: string, id: string, body: { why: string; revision: number }) => send<JobTold>("POST", path(twin, id, "approval"), body),
  job: (twin: string, id: string) => json<JobTold>(`/twins/${part(twin)}/jobs/${part(id)}`),
};
export { ServerProblem };
