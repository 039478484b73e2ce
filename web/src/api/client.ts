import { decodeArrays, type Arrays } from "./arrays";
import type { Collection, FeatureCollection, ObjectAnswer, Problem, SearchResult, SeriesAnswer, SunDay, Twin, TwinSummary } from "./types";

/** What the server said went wrong, as one line a person can read (RFC 9457 bodies). */
export class ServerProblem extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail || problem.title || `HTTP ${status}`);
  }
}

export type Params = Record<string, string | number | boolean | undefined>;

function address(path: string, params?: Params): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params ?? {})) if (value !== undefined) query.set(key, String(value));
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** Who asks: the token of the session goes with every request, and nowhere else. */
let token: string | null = null;
try {
  token = sessionStorage.getItem("twintown.token");
} catch {
  // no storage (tests, a strict browser): nobody is signed in
}
export function setToken(next: string | null): void {
  token = next;
  try {
    if (next) sessionStorage.setItem("twintown.token", next);
    else sessionStorage.removeItem("twintown.token");
  } catch {
    // it is kept for this page alone
  }
}
/** What a signed-in page says with everything that writes, so that no other site can write in its name. */
let csrf = "";
export const setCsrf = (next: string): void => void (csrf = next);
export const hasToken = (): boolean => token !== null;
/** Headers for a request that does not go through `ask` (picture tiles, streams). */
export const fetchHeaders = (): Record<string, string> => (token ? { authorization: `Bearer ${token}` } : {});

/** One request of the server; anything but success is a `ServerProblem`. */
export async function ask(path: string, init?: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    const writes = csrf && init?.method && init.method !== "GET" ? { "twintown-csrf": csrf } : null;
    answer = await fetch(path, token || writes ? { ...init, headers: { ...(init?.headers as Record<string, string> | undefined), ...writes, ...fetchHeaders() } } : init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ServerProblem(0, { title: "unreachable" });
  }
  if (!answer.ok) {
    let problem: Problem = {};
    if ((answer.headers.get("content-type") ?? "").includes("json")) problem = (await answer.json()) as Problem;
    throw new ServerProblem(answer.status, problem);
  }
  return answer;
}

/** One JSON answer. */
export async function json<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
  return (await (await ask(address(path, params), signal ? { signal } : undefined)).json()) as T;
}

/** Sends a body (JSON) and reads the JSON answer; an empty answer is `null`. */
export async function send<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const answer = await ask(path, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return (text ? JSON.parse(text) : null) as T;
}

export const part = encodeURIComponent;
/** The address of a twin, by its id; an address (what a partner lets us use, through our own server) stays as it is. */
export const root = (twin: string): string => (twin.startsWith("/") ? twin : `/twins/${part(twin)}`);
// Object ids hold slashes ("way/123") and the server reads them as a path.
const idPath = (id: string) => id.split("/").map(part).join("/");

/** Every question the page asks, and nothing else. */
export const api = {
  twins: () => json<{ twins: TwinSummary[] }>("/twins").then((a) => a.twins),
  twin: (twin: string) => json<Twin>(`/twins/${part(twin)}`),
  collections: (twin: string) => json<{ collections: Collection[] }>(`/twins/${part(twin)}/collections`).then((a) => a.collections.filter((c) => "kind" in c)),
  collection: (twin: string, layer: string) => json<Collection>(`/twins/${part(twin)}/collections/${part(layer)}`),
  items: (twin: string, layer: string, params?: Params, signal?: AbortSignal) =>
    json<FeatureCollection>(`/twins/${part(twin)}/collections/${part(layer)}/items`, params, signal),
  series: (twin: string, layer: string, params?: Params) =>
    json<SeriesAnswer>(`/twins/${part(twin)}/collections/${part(layer)}/series`, params),
  object: (twin: string, id: string, signal?: AbortSignal) =>
    json<ObjectAnswer>(`/twins/${part(twin)}/objects/${idPath(id)}`, undefined, signal),
  search: (twin: string, q: string, limit = 8, signal?: AbortSignal) =>
    json<{ results: SearchResult[] }>(`/twins/${part(twin)}/search`, { q, limit }, signal).then((a) => a.results),
  sun: (twin: string, date: string, basis: string) =>
    json<SunDay>(`/twins/${part(twin)}/sun`, { date, basis }),
  style: (twin: string) => json<Record<string, unknown>>(`/twins/${part(twin)}/styles/base`),
  tilejson: (twin: string) => json<Record<string, unknown>>(`/twins/${part(twin)}/tiles/base`),
  tileset: (twin: string, layer: string) => `/twins/${part(twin)}/3dtiles/${part(layer)}/tileset.json`,
  /** One vector tile; `null` where the twin has nothing (204). */
  async tile(twin: string, z: number, x: number, y: number): Promise<ArrayBuffer | null> {
    const answer = await ask(`/twins/${part(twin)}/tiles/base/${z}/${x}/${y}`);
    if (answer.status === 204) return null;
    const bytes = await answer.arrayBuffer();
    return bytes.byteLength ? bytes : null;
  },
  /** Sun hours for a day, with edits; the answer is arrays (see `arrays.ts`). */
  async sunlight(twin: string, inputs: { date: string; time_basis: string; edits: object[] }, signal?: AbortSignal): Promise<Arrays> {
    const answer = await ask(`/twins/${part(twin)}/sun`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ inputs }),
      ...(signal ? { signal } : {}),
    });
    return decodeArrays(await answer.arrayBuffer());
  },
};

export type Api = typeof api;
