// What the rooms of produce ask the server: lots, needs, prices, the delivery plan's layers, certificates, recalls, the account.
// Loaded with those rooms only.
import { json, part, root, send } from "./client";
import type { Both } from "./exchange";
import { eventsApi, type EventText, type EventWhole } from "./events";
import type { Feature, FeatureCollection } from "./types";

/** How a number is known: a certificate and a scale, what a producer said, or nobody: then it is an assumption, and says so. */
export type Known = "measured" | "stated" | "assumed" | "computed";
export interface Product {
  code: string;
  names: Both;
  unit: string;
  kg_per_unit: number;
  shelf_life_d: number;
  /** Numbers of the list of allergens. */
  allergens: string[];
  gtin: string;
  substitutes: { product: string; factor: number }[];
  /** Of the layer `prices`; empty where the data has no price. */
  column: string;
  price: { krw_kg: number; date: string; unit: string; source: string } | null;
  /** The layer of the newest price forecast; empty for none. */
  forecast: string;
  /** Of a stand's buyers who take it, and how much each; assumed. */
  share: number;
  kg: number;
}
export type LotState = "offered" | "promised" | "failed" | "recalled";
export type Grade = "special" | "upper" | "middle";
export const GRADES: readonly Grade[] = ["special", "upper", "middle"];

/** What a person writes of a lot; days are ISO 8601. */
export interface LotText {
  producer: string;
  product: string;
  variety: string;
  grade: Grade;
  quantity_kg: number;
  error_kg: number;
  from: string;
  until: string;
  shelf_life_d: number;
  price_krw_kg: number;
  allergens: string;
  batch: string;
  substitute: boolean;
  source: Known;
  note: string;
}
export interface Lot extends LotText {
  id: string;
  origin_ko: string;
  origin_en: string;
  state: LotState;
  promised_kg: number;
  promised_to: string;
  gtin: string;
  /** Why it failed or was recalled. */
  why: string;
  author: string;
  at: string;
  lon: number | null;
  lat: number | null;
}
export interface Producer { id: string; name_ko: string; name_en: string; town_ko: string; town_en: string; kind: string; source: string; note: string; lon: number; lat: number }
export interface Finding { code: string; text: Both; row: string; level: "bad" | "warn" | "info"; layer?: string }
/** One number that a calculation stands on. */
export interface Basis { code: string; text: Both; source: string }
export interface Need {
  id: string;
  place: string;
  place_kind: "stand" | "kitchen";
  event: string;
  name_ko: string;
  name_en: string;
  product: string;
  quantity_kg: number;
  error_kg: number;
  date: string;
  from_h: number;
  until_h: number;
  price_max_krw_kg: number;
  grade_min: string;
  allergens_not: string;
  substitutes: string;
  weight: number;
  source: Known;
  note: string;
  lon: number | null;
  lat: number | null;
}
export interface NeedSum { date: string; product: string; places: number; kg: number }
export interface NeedsMade { made: number; removed: number; sums: NeedSum[]; basis: Basis[]; findings: Finding[] }
export interface Mix { buying_share: number; error: number; baskets: Record<string, { share: number; kg: number }> }
export interface Recipe { id: string; name_ko: string; name_en: string; products: string[] }
/** Something that has a name: a kitchen, a vehicle, a producer. */
export interface Place { id: string; name: Both; kind: "producer" | "kitchen" | "vehicle" }
/** A row of what a server would not take, with why. */
export interface NotTaken { lot: string; why: string | Both }

export interface Certificate {
  id: string;
  lot: string;
  gtin: string;
  batch: string;
  digest: string;
  state: "valid" | "expired" | "revoked";
  issued: string;
  until: string;
  revoked: string | null;
  why: string;
  /** Its entry in the ledger. */
  ledger: number;
  /** What the code on the bag holds (GS1 Digital Link): the visitor's page. */
  link: string;
  /** Its number means something here only. */
  restricted: boolean;
}
export interface Issued { issued: { id: string; lot: string; digest: string; ledger: number }[]; refused: { lot: string; why: string }[] }
/** A stand or a kitchen that has some of a recalled lot. */
export interface RecallPlace { place: string; kind: string; name: Both; kg: number; date: string }
/** Whether a partner has it: on its disk, seen by a person there. */
export interface Reach { peer: string; name: string; state: "waiting" | "heard" | "seen" | "refused"; heard: string | null; seen: string | null; attempts: number; said: string }
export interface Recall {
  id: string;
  way: "own" | "told";
  /** DID of the city that recalls; empty for our own. */
  peer: string;
  name: string;
  lot: string;
  batch: string;
  gtin: string;
  product: string;
  why: string;
  at: string;
  author: string;
  places: RecallPlace[];
  kg: number;
  certificates: string[];
  heard: string | null;
  seen: string | null;
  reach: Reach[];
  ledger: number;
}

/** A number of an account: its unit (UCUM), error (± , 80 %), how it is known and where it is from; `null` where nobody knows it. */
export interface Figure { value: number | null; unit: string; error: number; source: Known; origin: Both }
export const FLOWS = ["promised", "delivered", "sold", "wasted"] as const;
export type Flow = (typeof FLOWS)[number];
export type AccountSide = "guest" | "host";
export interface AccountRow extends Record<Flow | "income", Figure> { product: string }
export interface Account extends Record<Flow | "income", Figure> {
  event: string;
  currency: string;
  products: AccountRow[];
  spent: Record<AccountSide, Figure>;
  came: Figure;
  benefits: Record<AccountSide, { code: string; text: Both; figure: Figure }[]>;
  note: Both;
}
export interface AccountFinding { code: string; level: "bad" | "warn" | "info"; member: string; text: Both }
export interface AccountSignature { by: "ours" | "theirs"; did: string; key: string; at: string; good: boolean; proof: Record<string, unknown> }
export interface AccountTold {
  state: "draft" | "proposed" | "signed";
  turn: "ours" | "theirs" | "";
  ours: AccountSide;
  sides: Record<AccountSide, Both>;
  joint: string;
  digest: string;
  account: Account;
  findings: AccountFinding[];
  text: Both;
  signatures: AccountSignature[];
}
export interface Sale { product: string; delivered_kg: number | null; sold_kg: number | null; wasted_kg: number | null; income: number | null }
export interface Entries { sales: Sale[]; came: number | null; came_error: number; came_source: "counted" | "tickets" | "assumed"; spent: Record<AccountSide, number | null>; note: Both }

const at = (twin: string, ...path: string[]) => [root(twin), ...path.map(part)].join("/");

const features = (twin: string, layer: string, limit = 10_000) => json<FeatureCollection>(at(twin, "collections", layer, "items"), { limit }).then((c) => c.features as Feature[]);
const said = (v: unknown): string => (v === null || v === undefined ? "" : String(v));

const WRITTEN = ["kind", "title", "about", "host", "agreement", "place", "start", "end", "organiser", "programme", "sections", "delegations", "meetings", "visitors", "stage", "stands", "works"] as const;

export const produceApi = {
  produce: (twin: string) => json<{ desk: boolean; products: Product[]; grades: Record<string, Both>; allergens: Record<string, Both> }>(at(twin, "produce")),
  lots: (twin: string) => json<{ desk: boolean; lots: Lot[]; findings: Finding[] }>(at(twin, "lots")),
  addLot: (twin: string, lot: Partial<LotText>, author: string) => send<Lot>("POST", at(twin, "lots"), { lot, author }),
  changeLot: (twin: string, id: string, fields: Partial<LotText>, author: string) => send<Lot>("PATCH", at(twin, "lots", id), { fields, author }),
  failLot: (twin: string, id: string, why: string, author: string) => send<Lot>("POST", at(twin, "lots", id, "failure"), { why, author }),
  needs: (twin: string, limit = 1000) => json<{ desk: boolean; count: number; needs: Need[]; sums: NeedSum[]; findings: Finding[] }>(at(twin, "needs"), { limit }),
  dropNeed: (twin: string, id: string) => send<null>("DELETE", at(twin, "needs", id)),
  needsOfEvent: (twin: string, event: string, mix: Mix, author: string) => send<NeedsMade>("POST", at(twin, "events", event, "needs"), { mix, author }),
  needsOfKitchens: (twin: string, body: { from: string; until: string; menu: string[][] | null; author: string }) => send<NeedsMade>("POST", at(twin, "kitchens", "needs"), body),
  producers: (twin: string): Promise<Producer[]> => features(twin, "producers").then((all) => all.map((f) => ({ ...(f.properties as unknown as Producer), id: said(f.id) }))),
  recipes: (twin: string): Promise<Recipe[]> =>
    features(twin, "recipes").then((rows) => {
      const found = new Map<string, Recipe>();
      for (const { properties: p } of rows) {
        const id = said(p["recipe"]);
        const one = found.get(id) ?? { id, name_ko: said(p["name_ko"]), name_en: said(p["name_en"]), products: [] };
        one.products.push(said(p["product"]));
        found.set(id, one);
      }
      return [...found.values()];
    }),
  /** What producers, kitchens and vehicles are called. */
  async places(twin: string): Promise<Place[]> {
    const of = async (layer: string, kind: Place["kind"]): Promise<Place[]> =>
      (await features(twin, layer, 1000).catch(() => [])).map((f) => {
        // A name in two languages stands on both sides of a stroke.
        const [ko = "", en = ko] = said(f.properties["name"]).split(" / ");
        return { id: said(f.id), kind, name: { ko: said(f.properties["name_ko"]) || ko, en: said(f.properties["name_en"]) || en } };
      });
    return (await Promise.all([of("producers", "producer"), of("kitchens", "kitchen"), of("vehicles", "vehicle")])).flat();
  },
  layer: features,

  /** The plan stands with its event from now on. Raises `ServerProblem` 412 where somebody else was quicker. */
  keepPlan: (twin: string, event: EventWhole, plan: NonNullable<EventText["plan"]>, author: string) =>
    eventsApi.put(twin, event.id, { ...(Object.fromEntries(WRITTEN.map((name) => [name, event[name]])) as unknown as EventText), plan }, event.revision, author),

  certificates: (twin: string, lot = "") => json<{ certificates: Certificate[] }>(at(twin, "certificates"), { limit: 1000, lot: lot || undefined }).then((a) => a.certificates),
  issue: (twin: string, body: { lots: string[] | "all"; author: string }) => send<Issued>("POST", at(twin, "certificates"), body),
  code: (twin: string, id: string) => `${at(twin, "certificates", id)}/qr.svg`,
  labels: (twin: string, lots: readonly string[], lang: string) => `${at(twin, "labels")}?lang=${lang}${lots.length ? `&lots=${lots.map(part).join(",")}` : ""}`,
  recalls: (twin: string) => json<{ recalls: Recall[] }>(at(twin, "recalls")).then((a) => a.recalls),
  recall: (twin: string, lot: string, why: string, author: string) => send<Recall>("POST", at(twin, "lots", lot, "recall"), { why, author }),
  seen: (twin: string, id: string, author: string) => send<unknown>("POST", at(twin, "recalls", id, "seen"), { author }),

  account: (twin: string, event: string) => json<AccountTold>(at(twin, "events", event, "account")),
  writeAccount: (twin: string, event: string, body: { entries: Entries; propose: boolean; author: string }) => send<AccountTold>("POST", at(twin, "events", event, "account"), body),
  /** Signs what the other city proposed, or declines it with a reason. */
  answerAccount: (twin: string, event: string, body: { move: "agree" | "decline"; digest: string; reason: string; author: string }) => send<unknown>("POST", at(twin, "events", event, "answer"), body),
  accountPage: (twin: string, event: string, lang: string, f: "html" | "text" | "json") => `${at(twin, "events", event, "account", "document")}?lang=${lang}&f=${f}`,
  /** What was signed: the document with both proofs, which anybody can check without us. */
  signedAccount: (twin: string, event: string) => json<{ document: Record<string, unknown>; digest: string; proofs: Record<string, unknown>[] }>(at(twin, "events", event, "account", "document"), { f: "json" }),
};
