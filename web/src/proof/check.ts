// Whether a certificate holds: the same six questions that the city's server asks (programme/certificate_check), answered here.
import { hex, sha256, utf8 } from "./bytes";
import { keysOf, read, wrongWith, type Credential, type DidDocument, type Key } from "./credential";
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
    one.body.issuer?.id !== seen.did || !all.length ? bad("issuer", "unknown-issuer", String(one.body.issuer?.id ?? ""))
    : all.some((key) => key.public === one.key) && !keys.some((key) => key.public === one.key) ? bad("issuer", "keys-changed", one.key)
    : good("issuer", one.body.issuer.name);
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
  const named = lotOf(String(said?.product?.id));
  if (!named || said.id !== said.product.id || said.product.batchNumber !== named.batch) return bad("lot", "other-lot", "");
  const what = `${named.gtin} · ${named.batch}`;
  return bag && (bag.gtin !== named.gtin || bag.batch !== named.batch) ? bad("lot", "other-lot", what) : good("lot", what);
}

async function aboutStatus(one: Credential, seen: Seen, keys: Key[], now: number): Promise<Check> {
  if (!seen.status) return unknown("status", "status-unknown");
  try {
    const { url, place } = placeOf(one.body);
    const list = read(seen.status);
    const revoked = isSet(await bitsOf(list, url), place);
    const at = list.body.validFrom;
    const wrong = await wrongWith(list, keys, now);
    if (list.body.issuer.id !== one.body.issuer.id || wrong === "forged") return unknown("status", "status-unknown");
    if (revoked) return bad("status", "revoked", at);
    return wrong || !seen.fresh ? unknown("status", "status-old", at) : good("status", at);
  } catch {
    return unknown("status", "status-unknown");
  }
}

async function aboutLedger(one: Credential, seen: Seen, keys: Key[]): Promise<Check> {
  if (!seen.entry) return unknown("ledger", "ledger-unknown");
  const found = await entered(seen.entry, hex(await sha256(utf8(one.jwt))), seen.origin, keys);
  const apart = Math.abs(Date.parse(found.at) - Date.parse(one.body.validFrom));
  return found.good && apart <= SLACK_MS ? good("ledger", String(seen.entry.entry)) : bad("ledger", "not-in-ledger");
}
