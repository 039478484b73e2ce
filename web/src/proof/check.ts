// Whether a certificate holds: the same six questions that the city's server asks (programme/certificate_check), answered here.
import { hex, sha256, utf8 } from "./bytes";
import { issuerOf, keysOf, moment, read, wrongWith, type Credential, type DidDocument, type Key } from "./credential";
import { entered, type Opened } from "./ledger";
import { bitsOf, isSet, placeOf } from "./status";

export type State = "good" | "bad" | "unknown";
export type Of = "issuer" | "signature" | "lot" | "dates" | "status" | "ledger";
export interface Check { of: Of; state: State; why: string; /** A moment, a name, a number: what the sentence needs. */ what: string }
export interface Lot { gtin: string; batch: string }
export interface Seen {
  /** Who the code on the bag leads to. */
  did: string;
  document: DidDocument | null;
  /** Of the document's keys those that follow from what was pinned first; null: all of them. */
  trusted: Set<string> | null;
  lot: Lot | null;
  status: string;
  /** Whether the list came from the city now; else it is what was kept. */
  fresh: boolean;
  entry: Opened | null;
  origin: string;
}
export interface Verdict { state: State; why: string; checks: Check[]; credential: Credential | null }

const SLACK_MS = 10 * 60_000;
const good = (of: Of, what = ""): Check => ({ of, state: "good", why: "", what });
const bad = (of: Of, why: string, what = ""): Check => ({ of, state: "bad", why, what });
const unknown = (of: Of, why: string, what = ""): Check => ({ of, state: "unknown", why, what });

/** The lot that an address names (GS1 Digital Link); null: none. */
export function lotOf(address: string): Lot | null {
  try {
    const found = /\/01\/(\d{1,14})\/10\/([^/?#]+)\/?$/.exec(new URL(address).pathname);
    return found ? { gtin: found[1]!.padStart(14, "0"), batch: decodeURIComponent(found[2]!) } : null;
  } catch {
    return null;
  }
}

const LINK = /^https?:\/\/[^/?#\s]+(?:\/[^?#\s]*)?\/01\/(\d{14})\/10\/([^/?#\s]+)$/;
const SET_82 = /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}$/;
/** The lot that a certificate names, in the one way of writing it (GS1 General Specifications, 7.9.1 and table 7.11-1); null: none. */
export function named(link: unknown): Lot | null {
  const found = typeof link === "string" ? LINK.exec(link) : null;
  if (!found) return null;
  const [gtin, written] = [found[1]!, found[2]!];
  const sum = [...gtin].reduce((total, digit, at) => total + Number(digit) * (at % 2 ? 1 : 3), 0);
  try {
    new URL(link as string); // a host that is none
    const batch = decodeURIComponent(written);
    const again = encodeURIComponent(batch).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
    return sum % 10 === 0 && SET_82.test(batch) && batch !== "." && batch !== ".." && again === written ? { gtin, batch } : null;
  } catch {
    return null;
  }
}

export async function check(jwt: string, seen: Seen, now: number): Promise<Verdict> {
  let one: Credential;
  try {
    one = read(jwt);
  } catch {
    return { state: "bad", why: "forged", checks: [bad("signature", "forged")], credential: null };
  }
  const all = seen.document && seen.document.id === seen.did ? keysOf(seen.document) : [];
  const keys = seen.trusted ? all.filter((key) => seen.trusted!.has(key.public)) : all;
  const issuer =
    issuerOf(one.body) !== seen.did || !all.length ? bad("issuer", "unknown-issuer", issuerOf(one.body))
    : all.some((key) => key.public === one.key) && !keys.some((key) => key.public === one.key) ? bad("issuer", "keys-changed", one.key)
    : good("issuer", typeof one.body.issuer.name === "string" ? one.body.issuer.name : "");
  const wrong = await wrongWith(one, keys, now);
  const signature = wrong === "forged" ? bad("signature", "forged") : good("signature", one.key);
  const dates = wrong === "forged" ? unknown("dates", "forged") : wrong ? bad("dates", wrong, wrong === "expired" ? one.body.validUntil : one.body.validFrom) : good("dates", one.body.validUntil);
  const checks = [issuer, signature, aboutLot(one, seen.lot), dates, await aboutStatus(one, seen, keys, now), await aboutLedger(one, seen, keys)];
  const state: State = checks.some((c) => c.state === "bad") ? "bad" : checks.some((c) => c.state === "unknown") ? "unknown" : "good";
  return { state, why: state === "good" ? "" : weightiest(checks, state), checks, credential: one };
}

/** Of what is wrong, what is told first: that it was revoked comes before all that only follows from it. */
function weightiest(checks: Check[], state: State): string {
  const found = checks.filter((one) => one.state === state).map((one) => one.why);
  return ["unknown-issuer", "keys-changed", "forged", "other-lot", "revoked", "expired", "not-yet-valid"].find((why) => found.includes(why)) ?? found[0] ?? "";
}

function aboutLot(one: Credential, bag: Lot | null): Check {
  const said = one.body.credentialSubject;
  const lot = named(said?.product?.id);
  if (!lot || said.id !== said.product.id || said.product.batchNumber !== lot.batch) return bad("lot", "other-lot", "");
  const what = `${lot.gtin} · ${lot.batch}`;
  return bag && (bag.gtin !== lot.gtin || bag.batch !== lot.batch) ? bad("lot", "other-lot", what) : good("lot", what);
}

async function aboutStatus(one: Credential, seen: Seen, keys: Key[], now: number): Promise<Check> {
  if (!seen.status) return unknown("status", "status-unknown");
  try {
    const { url, place } = placeOf(one.body);
    const list = read(seen.status);
    const revoked = isSet(await bitsOf(list, url), place);
    const at = list.body.validFrom;
    const wrong = await wrongWith(list, keys, now);
    if (issuerOf(list.body) !== issuerOf(one.body) || wrong === "forged") return unknown("status", "status-unknown");
    if (revoked) return bad("status", "revoked", at);
    return wrong || !seen.fresh ? unknown("status", "status-old", at) : good("status", at);
  } catch {
    return unknown("status", "status-unknown");
  }
}

async function aboutLedger(one: Credential, seen: Seen, keys: Key[]): Promise<Check> {
  if (!seen.entry) return unknown("ledger", "ledger-unknown");
  const found = await entered(seen.entry, hex(await sha256(utf8(one.jwt))), seen.origin, keys);
  const apart = Math.abs(Date.parse(found.at) - moment(one.body.validFrom));
  return found.good && apart <= SLACK_MS ? good("ledger", String(seen.entry.entry)) : bad("ledger", "not-in-ledger");
}
