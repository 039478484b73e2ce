// What the room of results asks the server: processes, jobs, evidence, comparison, reports. Loaded with that room only.
import { ask, json, part, root as twinPath, ServerProblem, type Params } from "./client";

export interface Link { href: string; rel?: string; type?: string; title?: string }

/** JSON Schema of one input, as far as a form can be made of it. */
export interface InputSchema {
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
  items?: InputSchema;
  properties?: Record<string, InputSchema>;
  required?: string[];
  minItems?: number;
  maxItems?: number;
  oneOf?: InputSchema[];
  anyOf?: InputSchema[];
  nullable?: boolean;
  "x-ogc-unit"?: string;
  "x-ogc-definition"?: string;
  [other: string]: unknown;
}
export interface Names { ko: string; en: string }
export interface InputAbout { title?: string; description?: string; names?: Names; schema: InputSchema; minOccurs?: number }
export interface OutputAbout { title?: string; names?: Names; shape: "features" | "grid" | "series"; unit: string; error: number }
export interface Cited { key: string; text: string; doi: string }
export interface Measured { case: string; kernel: string; what: string; error: number; tolerance: number; unit: string; holds: boolean }
export interface ProcessAbout {
  id: string;
  version: string;
  title?: string;
  description?: string;
  names?: Names;
  /** The layers that it needs. */
  keywords?: string[];
  /** Of the whole description only. */
  inputs?: Record<string, InputAbout>;
  outputs?: Record<string, OutputAbout>;
  error?: Names | null;
  citations?: Cited[];
  validation?: Measured[];
}

export type JobState = "accepted" | "running" | "successful" | "failed" | "dismissed";
export interface JobStatus {
  jobID: string;
  type?: string;
  kind?: string;
  processID?: string | null;
  status: JobState;
  message?: string | null;
  progress?: number | null;
  stage?: string | null;
  remaining_s?: number | null;
  created?: string | null;
  started?: string | null;
  finished?: string | null;
  updated?: string | null;
  reused?: boolean | null;
  links?: Link[];
  [other: string]: unknown;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ScenarioSummary { id: string; name: string; revision?: number; state?: string; [other: string]: unknown }

const jobPath = (twin: string, job: string) => `${twinPath(twin)}/jobs/${part(job)}`;
const posted = (body: unknown): RequestInit => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** The last part of the Location header: the id of what was made. */
function madeAt(answer: Response): string {
  const place = answer.headers.get("location") ?? "";
  return decodeURIComponent(place.split("?")[0]!.split("/").filter(Boolean).pop() ?? "");
}

async function job(path: string, init: RequestInit): Promise<JobStatus> {
  const answer = await ask(path, init);
  const type = answer.headers.get("content-type") ?? "";
  const body = (type.includes("json") ? await answer.json() : {}) as Partial<JobStatus>;
  const id = body.jobID ?? madeAt(answer);
  if (!id) throw new ServerProblem(answer.status, { title: "no job" });
  return { status: "accepted", ...body, jobID: id };
}

/** Every question that this room asks. */
export const resultApi = {
  processes: (twin: string, lang: string) =>
    json<{ processes: ProcessAbout[] }>(`${twinPath(twin)}/processes`, { lang }).then((a) => a.processes),
  process: (twin: string, id: string, lang: string) => json<ProcessAbout>(`${twinPath(twin)}/processes/${part(id)}`, { lang }),
  /** Asks a process and does not wait: a job is made. */
  execute: (twin: string, process: string, outputs: string[], inputs: Record<string, unknown>) =>
    job(`${twinPath(twin)}/processes/${part(process)}/execution`, {
      // By reference: the values are layers, and come from there.
      ...posted({ inputs, outputs: Object.fromEntries(outputs.map((o) => [o, { transmissionMode: "reference" }])), response: "document" }),
      headers: { "content-type": "application/json", prefer: "respond-async" },
    }),
  jobs: (twin: string, params?: Params) => json<{ jobs: JobStatus[] }>(`${twinPath(twin)}/jobs`, params).then((a) => a.jobs),
  job: (twin: string, id: string, signal?: AbortSignal) => json<JobStatus>(jobPath(twin, id), undefined, signal),
  events: (twin: string, id: string) => `${jobPath(twin, id)}/events`,
  dismiss: (twin: string, id: string) => ask(jobPath(twin, id), { method: "DELETE" }),
  results: (twin: string, id: string) => json<Record<string, Json>>(`${jobPath(twin, id)}/results`),
  manifest: (twin: string, id: string) => json<Record<string, Json>>(`${jobPath(twin, id)}/manifest`),
  evidence: (twin: string, id: string) => `${jobPath(twin, id)}/evidence`,
  /** The evidence package itself, as bytes to be posted elsewhere. */
  async package(address: string, signal?: AbortSignal): Promise<Blob> {
    return (await ask(address, signal ? { signal } : undefined)).blob();
  },
  verify: (twin: string, body: Blob) =>
    job(`${twinPath(twin)}/verifications`, { method: "POST", headers: { "content-type": body.type || "application/octet-stream" }, body }),
  scenarios: (twin: string) => json<{ scenarios: ScenarioSummary[] }>(`${twinPath(twin)}/scenarios`).then((a) => a.scenarios),
  comparison: (twin: string, scenario: string, other: string) =>
    json<Record<string, Json>>(`${twinPath(twin)}/scenarios/${part(scenario)}/comparison`, { with: other }),
  report: (twin: string, body: unknown) => job(`${twinPath(twin)}/reports`, posted(body)),
  reportPage: (twin: string, id: string, f?: "pdf" | "json") => `${twinPath(twin)}/reports/${part(id)}${f ? `?f=${f}` : ""}`,
  reportFacts: (twin: string, id: string) => json<Record<string, Json>>(`${twinPath(twin)}/reports/${part(id)}`, { f: "json" }),
  collection: (twin: string, layer: string) => json<Record<string, Json>>(`${twinPath(twin)}/collections/${part(layer)}`),
};
export type ResultApi = typeof resultApi;
