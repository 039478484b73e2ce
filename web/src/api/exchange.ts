// What the room of partners asks the server: peers, offers, negotiations, agreements, the release gate, the ledger. Loaded with it only.
import { json, part, root, send, ServerProblem } from "./client";

export type Box = [number, number, number, number];
export interface Both { ko: string; en: string }

/** What two cities agree on about some assets. Moments are RFC 3339; an empty list, `null`, 0 and "" do not limit. */
export interface Terms {
  /** `layer:buildings`, `process:sunlight`, `scenario:<id>`, `playbook:<id>` */
  assets: string[];
  purposes: string[];
  /** West, south, east, north, degrees. */
  area: Box | null;
  since: string | null;
  until: string | null;
  finest_m: number;
  no_resharing: boolean;
  delete_by: string | null;
  attribution: string;
}

export interface PeerKey { key: string; pinned: boolean; retired: string | null; revoked: string | null }
export interface Peer {
  id: string;
  did: string;
  address: string;
  country: string;
  /** The highest grade that may be sent there. */
  grade: string;
  /** Whether its messages are believed; without a pinned key it cannot negotiate. */
  pinned: boolean;
  /** Keys by which it is believed: pinned ones, and those that follow from them. */
  keys: PeerKey[];
  state: "unseen" | "asked" | "reached" | "silent" | "strange";
  /** When it was last looked at. */
  seen: string | null;
  doubts: string[];
  error: string;
  offered: string[];
}

/** The keys by which a signature of this city is believed now. */
export const believed = (peer: Peer | null | undefined): string[] => (peer?.keys ?? []).filter((k) => !k.revoked).map((k) => k.key);

export interface Signed { role: "provider" | "consumer"; did: string; key: string; at: string; good?: boolean }

export interface Offer {
  id: string;
  dataset: string;
  assignee: string;
  title?: string | Both;
  terms: Terms;
  release?: string;
  /** The gate's answers, one an asset. */
  releases?: string[];
  state: "waiting" | "offered" | "refused" | "withdrawn";
  created: string;
}

export interface Dataset { id: string; title?: string | Both; description?: string; assets?: string[]; offers: { id: string; terms: Terms }[] }

export interface Message {
  seq: number;
  way: "in" | "out";
  type: string;
  at: string;
  author?: { name: string; kind: string; verified: boolean } | null;
  /** Which key signed it. */
  key?: string;
  terms?: Terms | null;
  state?: string;
}

export interface Deal {
  pid: string;
  role: "consumer" | "provider";
  peer: string;
  state: string;
  /** Whose move it is. */
  turn: string;
  dataset: string;
  terms: Terms;
  /** What may be done now. */
  may?: string[];
  agreement?: string | null;
  error?: unknown;
  created: string;
  updated: string;
  messages?: Message[];
}

export interface Agreement {
  id: string;
  role: "consumer" | "provider";
  peer: string;
  negotiation?: string;
  dataset: string;
  terms: Terms;
  /** `waiting`: it begins later. */
  state: "waiting" | "active" | "suspended" | "ended";
  since: string;
  until: string | null;
  changed: string;
  /** Who changed its state last, when and why; `holds`: the cities that hold it suspended now. */
  change?: { to: string; did: string; ours: boolean; name: string; why: string; at: string; holds?: string[] } | null;
  signatures?: Signed[];
  /** SHA-256 of what both signed, hexadecimal. */
  digest?: string;
  /** Where our ledger tells of it. */
  ledger?: { kind: string; seq: number; at: string }[];
}

/** `forbids`: it cannot go out so; `decides`: a person must weigh it; `notes`: is to be known. */
export interface Finding { rule: string; severity: "forbids" | "decides" | "notes"; message: Both; citation: string; numbers?: Record<string, unknown>; remedies?: string[]; layers?: string[]; confirmed?: string }
export interface Remedy { kind: string; title: Both; parameters?: Record<string, unknown>; clears?: string[]; leaves?: string; numbers?: Record<string, unknown> }
export interface Release { id: string; asset: string; state: "allowed" | "waiting" | "refused" | "granted" | "denied"; findings: Finding[]; remedies: Remedy[]; decision?: { by?: { name: string }; at: string; allow: boolean; why: string } | null; audience?: string }

export interface Entry { seq: number; kind: string; record: Record<string, unknown>; at: string; digest?: string }
export interface Ledger { entries: Entry[]; size?: number }

export interface SessionState { signed_in: boolean; name: string; roles: string[]; csrf: string; expires: string | null; oidc: string }

const at = (twin: string, ...path: string[]) => [root(twin), ...path.map(part)].join("/");
const listed = async <T>(path: string, key: string): Promise<T[]> => (await json<Record<string, T[]>>(path))[key] ?? [];

/** A negotiation whose offer this city cannot read has no terms. */
const NONE: Terms = { assets: [], purposes: [], area: null, since: null, until: null, finest_m: 0, no_resharing: false, delete_by: null, attribution: "" };
const said = (deal: Deal): Deal => (deal.terms ? deal : { ...deal, terms: { ...NONE } });

export const exchangeApi = {
  peers: (twin: string) => listed<Peer>(at(twin, "peers"), "peers"),
  catalogue: (twin: string, peer: string) => listed<Dataset>(at(twin, "peers", peer, "catalogue"), "datasets"),
  offers: (twin: string) => listed<Offer>(at(twin, "offers"), "offers"),
  offer: (twin: string, body: { assignee: string; terms: Terms; release?: string }) => send<Offer>("POST", at(twin, "offers"), body),
  withdraw: (twin: string, offer: string) => send<null>("DELETE", at(twin, "offers", offer)),
  deals: (twin: string) => listed<Deal>(at(twin, "negotiations"), "negotiations").then((all) => all.map(said)),
  deal: (twin: string, pid: string) => json<Deal>(at(twin, "negotiations", pid)).then(said),
  ask: (twin: string, body: { peer: string; dataset: string; offer: string; terms?: Terms }) => send<Deal>("POST", at(twin, "negotiations"), body),
  move: (twin: string, pid: string, move: string, body: object = {}) => send<Deal>("POST", at(twin, "negotiations", pid, move), body),
  agreements: (twin: string) => listed<Agreement>(at(twin, "agreements"), "agreements"),
  agreement: (twin: string, id: string) => json<Agreement>(at(twin, "agreements", id)),
  contract: (twin: string, id: string, lang: string) => `${at(twin, "agreements", id, "contract")}?lang=${lang}`,
  suspend: (twin: string, id: string, why: string) => send<Agreement>("POST", at(twin, "agreements", id, "suspension"), { why }),
  resume: (twin: string, id: string) => send<Agreement>("DELETE", at(twin, "agreements", id, "suspension")),
  end: (twin: string, id: string, why: string) => send<Agreement>("POST", at(twin, "agreements", id, "end"), { why }),
  releases: (twin: string) => listed<Release>(at(twin, "releases"), "releases"),
  release: (twin: string, body: { asset: string; audience: string; terms: Terms }) => send<Release>("POST", at(twin, "releases"), body),
  decide: (twin: string, id: string, body: object) => send<Release>("POST", at(twin, "releases", id, "decision"), body),
  entries: (twin: string) => json<Ledger>(`${at(twin, "ledger", "entries")}`),
  proof: (twin: string, entry: number) => json<Record<string, unknown>>(`${at(twin, "ledger", "proof")}?entry=${entry}`),
  session: (twin: string) => json<SessionState>(at(twin, "session")),
  signIn: (twin: string, body: { name: string; password: string; code?: string }) => send<SessionState>("POST", at(twin, "session"), body),
  signOut: (twin: string) => send<null>("DELETE", at(twin, "session")),
  /** What a partner lets us use, through our own server: an address to be taken for a twin. */
  door: (twin: string, agreement: string) => at(twin, "partners", agreement),
};
export type ExchangeApi = typeof exchangeApi;
export { ServerProblem };
