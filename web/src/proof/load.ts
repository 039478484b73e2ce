// What the page asks for: the bag, the city's keys, the list of what was revoked, the ledger's entry, the towns' outlines. Each may come from
// what this device has kept (the service worker says so).
import type { DidDocument } from "./credential";
import type { Opened } from "./ledger";

export const KEPT = "x-proof-kept";
export interface Bag {
  gtin: string;
  batch: string;
  link: string;
  restricted: boolean;
  city: { ko: string; en: string; vi?: string };
  time_zone: string;
  certificate: { id: string; state: string; why: string; status_list: string };
  credential: string;
  status_list: string;
  status: string;
  identity: string;
}
export interface Town { id: string; name: string; rings: [number, number][][] }
export interface Loaded { bag: Bag; document: DidDocument | null; list: string; fresh: boolean; entry: Opened | null; towns: Town[]; urls: string[] }
export class Missing extends Error {
  constructor(readonly why: "no-lot" | "away") {
    super(why);
  }
}

/** The path of an address of the city, asked for where this page came from. */
const here = (address: string): string => new URL(address, location.href).pathname;
async function get(path: string): Promise<Response | null> {
  try {
    return await fetch(path, { headers: { Accept: "*/*" } });
  } catch {
    return null;
  }
}
const json = async <T>(answer: Response | null): Promise<T | null> => (answer?.ok ? ((await answer.json()) as T) : null);

/** The twin's path in this page's address ("/twins/icheon"). */
export const twinPath = (path = location.pathname): string => /^(.*?\/twins\/[^/]+)\/01\//.exec(path)?.[1] ?? "";

/** Asks for everything. Throws `Missing`: there is no such lot, or nothing can be asked and nothing was kept. */
export async function load(): Promise<Loaded> {
  const bagUrl = `${location.pathname}?f=json`;
  const answer = await get(bagUrl);
  if (!answer || answer.status >= 500) throw new Missing("away");
  if (!answer.ok) throw new Missing("no-lot");
  const bag = (await answer.json()) as Bag;
  const [keysUrl, listUrl, statusUrl] = [bag.identity, bag.status_list, bag.status].map(here) as [string, string, string];
  const townsUrl = `${twinPath()}/collections/towns/items?f=json&limit=200`;
  const [keys, list, status, towns] = await Promise.all([get(keysUrl), get(listUrl), get(statusUrl), get(townsUrl)]);
  const drawn = await json<{ features: { id: string; properties: Record<string, string>; geometry: { type: string; coordinates: never } | null }[] }>(towns).catch(() => null);
  return {
    bag,
    document: await json<DidDocument>(keys),
    list: list?.ok ? await list.text() : "",
    fresh: !!list?.ok && !list.headers.has(KEPT),
    entry: (await json<{ entry: Opened | null }>(status))?.entry ?? null,
    towns: (drawn?.features ?? []).map((one) => ({ id: String(one.id), name: one.properties.name_ko ?? "", rings: ringsOf(one.geometry) })),
    urls: [bagUrl, keysUrl, listUrl, statusUrl, ...(towns?.ok ? [townsUrl] : [])],
  };
}

function ringsOf(geometry: { type: string; coordinates: never } | null): [number, number][][] {
  if (geometry?.type === "Polygon") return geometry.coordinates;
  if (geometry?.type === "MultiPolygon") return (geometry.coordinates as [number, number][][][]).flat();
  return [];
}

const PINS = "twintown.proof.keys:";
/** The keys of a city that this device saw first; none where it never saw any, or keeps nothing. */
export function pinned(did: string): string[] {
  try {
    return JSON.parse(localStorage.getItem(PINS + did) ?? "[]") as string[];
  } catch {
    return [];
  }
}
export function pin(did: string, keys: Iterable<string>): void {
  try {
    localStorage.setItem(PINS + did, JSON.stringify([...keys]));
  } catch {
    // a device that keeps nothing sees each time for the first
  }
}
export function unpin(did: string): void {
  try {
    localStorage.removeItem(PINS + did);
  } catch {
    // nothing was kept
  }
}

/** Lets this device show the bag without a connection; false where it cannot. */
export async function keep(urls: string[]): Promise<boolean> {
  if (!("serviceWorker" in navigator) || !twinPath()) return false;
  try {
    await navigator.serviceWorker.register("/proof-sw.js", { scope: `${twinPath()}/01/` });
    const ready = await navigator.serviceWorker.ready;
    const files = performance.getEntriesByType("resource").map((one) => new URL(one.name)).filter((one) => one.origin === location.origin && one.pathname.startsWith("/assets/")).map((one) => one.pathname);
    return await new Promise<boolean>((done) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = (event: MessageEvent<boolean>) => done(event.data);
      ready.active?.postMessage({ page: location.pathname, files, data: urls }, [channel.port2]);
      setTimeout(() => done(false), 15_000);
    });
  } catch {
    return false;
  }
}
