// What the room of partners asks the server: peers, offers, negotiations, agreements, the release gate, the ledger. Loaded with it only.
import { json, part, root, send, ServerProblem } from "./client";
import type { components } from "./types.gen";

type Sent = components["schemas"];
export type Box = [number, number, number, number];
export interface Both { ko: string; en: string }

/** What two cities agree on about some assets, every member there. Moments are RFC 3339; an empty list, `null`, 0 and "" do not limit. */
export type Terms = Required<Omit<Sent["TermsModel"], "area">> & { area: Box | null };
type With<T, More> = Omit<T, keyof More> & More;

export type Peer = Sent["PeerInfo"];
export type PeerKey = Sent["PeerKey"];
/** The keys by which a signature of this city is believed now. */
export const believed = (peer: Peer | null | undefined): string[] => (peer?.keys ?? []).filter((k) => !k.revoked).map((k) => k.key);

export type Offer = With<Sent["OfferModel"], { terms: Terms; state: "waiting" | "offered" | "refused" | "withdrawn" }>;
export type Dataset = With<Sent["DatasetModel"], { offers: { id: string; terms: Terms }[] }>;
export type Message = With<Sent["Said"], { terms: Terms | null }>;
export type Deal = With<Sent["DealBrief"], { terms: Terms }> & { messages?: Message[] };
export type Agreement = With<Sent["AgreementFull"], { terms: Terms }>;
export type Finding = Sent["FindingModel"];
export type Remedy = Sent["RemedyModel"];
export type RemedyKind = Remedy["kind"];
/** How much there is of an asset, as it is or as a remedy would leave it; cells that tell something only of a grid. */
export type Side = Sent["Side"];
export interface Drawn { properties: { persons?: number }; geometry: { type: string; coordinates?: unknown } | null }
export type Drawing = With<Sent["Drawing"], { features: { features: Drawn[] } | null; box: Box | null }>;
export type Sketch = With<Sent["Sketch"], { box: Box; before: Drawing; after: Drawing }>;
/** What a remedy would leave, beside what there is now. */
export type Preview = With<Sent["Preview"], { names: Record<"sites" | "columns", Record<string, Both>>; sketch: Sketch | null }>;
export type Release = With<Sent["ReleaseModel"], { terms: Terms }>;
export type Entry = Sent["LedgerEntry"];
export type LedgerPage = Sent["LedgerPage"];
export type LedgerProof = Sent["LedgerProof"];
export type SessionState = Sent["SessionState"];

const at = (twin: string, ...path: string[]) => [root(twin), ...path.map(part)].join("/");
const listed = async <T>(path: string, key: string): Promise<T[]> => (await json<Record<string, T[]>>(path))[key] ?? [];

/** A negotiation whose offer this city cannot read has no terms. */
const NONE: Terms = { assets: [], purposes: [], area: null, since: null, until: null, finest_m: 0, no_resharing: false, delete_by: null, attribution: "" };
const said = (deal: Deal): Deal => ((deal.terms as Terms | null) ? deal : { ...deal, terms: { ...NONE } });

export const exchangeApi = {
  /** Our own DID and the keys that it shows. */
  own: (twin: string) =>
    json<{ id: string; verificationMethod?: { publicKeyMultibase?: string }[] }>(at(twin, "did.json")).then((d) => ({ did: d.id, keys: (d.verificationMethod ?? []).flatMap((m) => m.publicKeyMultibase ?? []) })),
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
  /** What a remedy would leave; without parameters those that the gate has tried. Nothing is kept. */
  preview: (twin: string, id: string, kind: RemedyKind, parameters: Record<string, unknown> | null, signal?: AbortSignal) =>
    json<Preview>(at(twin, "releases", id, "preview", kind), { sketch: true, parameters: parameters ? JSON.stringify(parameters) : undefined }, signal),
  /** Makes a layer by a remedy; the gate's answer to letting that one go comes back. */
  remedy: (twin: string, id: string, body: { remedy: RemedyKind; parameters: Record<string, unknown> }) => send<Release>("POST", at(twin, "releases", id, "remedies"), body),
  rules: (twin: string) => listed<Sent["RuleModel"]>(at(twin, "release-rules"), "rules"),
  decide: (twin: string, id: string, body: object) => send<Release>("POST", at(twin, "releases", id, "decision"), body),
  entries: (twin: string) => json<LedgerPage>(`${at(twin, "ledger", "entries")}`),
  proof: (twin: string, entry: number) => json<LedgerProof>(`${at(twin, "ledger", "proof")}?entry=${entry}`),
  session: (twin: string) => json<SessionState>(at(twin, "session")),
  signIn: (twin: string, body: { name: string; password: string; code?: string }) => send<SessionState>("POST", at(twin, "session"), body),
  signOut: (twin: string) => send<null>("DELETE", at(twin, "session")),
  /** What a partner lets us use, through our own server: an address to be taken for a twin. */
  door: (twin: string, agreement: string) => at(twin, "partners", agreement),
};
export type ExchangeApi = typeof exchangeApi;
export { ServerProblem };
