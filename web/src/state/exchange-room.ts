// The room of partners: what the server says of peers, offers, negotiations and agreements, read while the column is open, and what is
// done there. One room a twin, for as long as the page is open.
import { reactive } from "vue";
import { setCsrf } from "../api/client";
import { exchangeApi, ServerProblem, type Agreement, type Dataset, type Deal, type Entry, type Offer, type Peer, type Release, type Terms } from "../api/exchange";
import { planApi, type Me } from "../api/plan";
import { resultApi, type ProcessAbout, type ScenarioSummary } from "../api/result";

/** The parts that are read on their own; one that the server does not have is missing, and says so. */
export const PARTS = ["peers", "offers", "deals", "agreements", "releases", "ledger"] as const;
export type PartName = (typeof PARTS)[number];
export type Condition = "wait" | "here" | "missing" | "closed" | "lost";

export interface Room {
  readonly twin: string;
  me: Me | null;
  /** Who we are to others. */
  own: { did: string; keys: string[] } | null;
  peers: Peer[];
  offers: Offer[];
  deals: Deal[];
  agreements: Agreement[];
  releases: Release[];
  ledger: Entry[];
  /** How each part stands: being read, read, not built into this server, not for this caller, or not reached. */
  condition: Record<PartName, Condition>;
  /** Why a part was refused, in the server's words. */
  why: Partial<Record<PartName, string>>;
  /** Catalogues that were asked for, by the peer's id. */
  catalogues: Record<string, { datasets: Dataset[]; trouble: string; busy: boolean }>;
  scenarios: ScenarioSummary[];
  processes: ProcessAbout[];
  busy: string;
  trouble: string;
  /** Hears which agreements are in force, whenever it is known anew. */
  heard: ((inForce: ReadonlySet<string>) => void) | null;
}

/** What went wrong, as one line; "unreachable" where nobody answered. */
export const line = (error: unknown): string =>
  error instanceof ServerProblem ? (error.status === 0 ? "unreachable" : error.message) : String((error as Error).message ?? error);

const kept = new Map<string, Room>();

export function roomOf(twin: string): Room {
  let room = kept.get(twin);
  if (!room) {
    const condition = Object.fromEntries(PARTS.map((part) => [part, "wait"])) as Record<PartName, Condition>;
    room = reactive<Room>({
      twin, me: null, own: null, peers: [], offers: [], deals: [], agreements: [], releases: [], ledger: [], condition, why: {}, catalogues: {}, scenarios: [], processes: [],
      busy: "", trouble: "", heard: null,
    }) as Room;
    kept.set(twin, room);
  }
  return room;
}

/** What a refusal says of a part: a route that is not there, one that is not for this caller, or a server that is not there. */
export function conditionOf(error: unknown): Condition {
  if (!(error instanceof ServerProblem)) return "lost";
  if (error.status === 401 || error.status === 403) return "closed";
  return error.status === 404 || error.status === 405 || error.status === 501 ? "missing" : "lost";
}

const ask: { [P in PartName]: (room: Room) => Promise<void> } = {
  peers: async (room) => {
    room.peers = await exchangeApi.peers(room.twin);
    // Names of what partners share stand in their catalogues.
    for (const peer of room.peers) if (peer.pinned && peer.state !== "silent" && wanted(room.catalogues[peer.id])) void readCatalogue(room, peer.id);
  },
  offers: async (room) => void (room.offers = await exchangeApi.offers(room.twin)),
  deals: async (room) => void (room.deals = newest(await exchangeApi.deals(room.twin), "updated")),
  agreements: async (room) => {
    room.agreements = newest(await exchangeApi.agreements(room.twin), "changed");
    room.heard?.(new Set(room.agreements.filter((a) => a.state === "active").map((a) => a.id)));
  },
  releases: async (room) => void (room.releases = await exchangeApi.releases(room.twin)),
  ledger: async (room) => void (room.ledger = (await exchangeApi.entries(room.twin)).entries),
};

/** A catalogue that was never read, or not heard the last time. */
const wanted = (one?: { trouble: string; busy: boolean }): boolean => !one || (!!one.trouble && !one.busy);
const newest = <T>(all: T[], key: keyof T): T[] => [...all].sort((a, b) => String(b[key] ?? "").localeCompare(String(a[key] ?? "")));

export async function readPart(room: Room, part: PartName): Promise<void> {
  try {
    await ask[part](room);
    room.condition[part] = "here";
    delete room.why[part];
  } catch (error) {
    room.condition[part] = conditionOf(error);
    room.why[part] = line(error);
  }
}

/** Who we are here, and what a signed-in page says with what it writes. */
export async function readMe(room: Room): Promise<void> {
  const me = await planApi.me(room.twin).catch(() => null);
  room.me = me;
  setCsrf(String((me as { csrf?: string } | null)?.csrf ?? ""));
}

const EVERY_MS = 2000;
const SLOW = 5;
let watchers = 0;

/** Reads the room until it is left: what others move every two seconds, the rest now and then. Nothing is asked while the page is hidden. */
export function watchRoom(room: Room, heard: Room["heard"] = null): () => void {
  room.heard = heard;
  const mine = ++watchers;
  let turn = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  void readMe(room);
  void exchangeApi.own(room.twin).then((own) => (room.own = own), () => undefined);
  void resultApi.scenarios(room.twin).then((all) => (room.scenarios = all), () => undefined);
  void resultApi.processes(room.twin, "en").then((all) => (room.processes = all), () => undefined);
  const round = async () => {
    if (mine !== watchers) return;
    if (!document.hidden) {
      const all = turn++ % SLOW === 0;
      // A route that is not there now is asked for again only now and then.
      const due = PARTS.filter((part) => (all ? true : ["deals", "agreements"].includes(part) && room.condition[part] !== "missing"));
      await Promise.all(due.map((part) => readPart(room, part)));
    }
    if (mine === watchers) timer = setTimeout(() => void round(), EVERY_MS);
  };
  void round();
  return () => {
    watchers++;
    if (timer) clearTimeout(timer);
  };
}

/** Reads anew what an act has changed. */
export async function refresh(room: Room, ...parts: PartName[]): Promise<void> {
  await Promise.all((parts.length ? parts : [...PARTS]).map((part) => readPart(room, part)));
}

/** Does something that the server may refuse; the refusal stands on the page until the next act. */
export async function act<T>(room: Room, name: string, work: () => Promise<T>, ...changes: PartName[]): Promise<T | undefined> {
  room.busy = name;
  room.trouble = "";
  try {
    const done = await work();
    await refresh(room, ...(changes.length ? changes : (["deals", "agreements", "ledger"] as const)));
    return done;
  } catch (error) {
    room.trouble = line(error);
    return undefined;
  } finally {
    room.busy = "";
  }
}

export async function readCatalogue(room: Room, peer: string): Promise<void> {
  room.catalogues[peer] ??= { datasets: [], trouble: "", busy: true };
  // As the room has it, so that the page hears of what comes.
  const one = room.catalogues[peer];
  one.busy = true;
  try {
    one.datasets = await exchangeApi.catalogue(room.twin, peer);
    one.trouble = "";
  } catch (error) {
    one.trouble = line(error);
  }
  one.busy = false;
}

/** What the assets of a dataset are called, by its title: the names stand there in the order of the assets. */
export function titlesOf(room: Room, dataset: string, lang: "ko" | "en"): Record<string, string> {
  const offer = room.offers.find((o) => o.dataset === dataset);
  const found = offer
    ? { title: offer.title, assets: offer.terms.assets }
    : Object.values(room.catalogues).flatMap((c) => c.datasets).filter((d) => d.id === dataset).map((d) => ({ title: d.title, assets: d.assets ?? [] }))[0];
  const title = typeof found?.title === "string" ? found.title : found?.title?.[lang];
  const names = title?.split(", ") ?? [];
  if (!found || names.length !== found.assets.length) return {};
  const told = Object.fromEntries(found.assets.map((asset, i) => [asset, names[i]!]));
  // A plan goes as the layer of what it builds: it has that layer's name.
  for (const asset of found.assets) {
    const layer = `layer:plan-${asset.slice(9, 17)}`;
    if (asset.startsWith("scenario:") && told[layer]) told[asset] = told[layer]!.replace(/^[^:]*: /, "");
  }
  return told;
}

/** The terms under which a dataset was offered at first: by us, or in the partner's catalogue. */
export function offeredTerms(room: Room, deal: Pick<Deal, "role" | "dataset">): Terms | null {
  if (deal.role === "provider") return room.offers.find((o) => o.dataset === deal.dataset)?.terms ?? null;
  return Object.values(room.catalogues).flatMap((c) => c.datasets).find((d) => d.id === deal.dataset)?.offers[0]?.terms ?? null;
}

/** The last part of a DID: what a peer is called where nobody gave it a name. */
export const tailOf = (did: string): string => decodeURIComponent(did.split(":").pop() ?? did);
export const peerOf = (room: Room, did: string): Peer | null => room.peers.find((p) => p.did === did || p.id === did) ?? null;

/** Negotiations that wait for us. */
export const ourMove = (deal: Pick<Deal, "state" | "turn">): boolean => !OVER.has(deal.state) && deal.turn === "ours";
export const OVER: ReadonlySet<string> = new Set(["FINALIZED", "TERMINATED"]);
