// A certificate as it is read: W3C Verifiable Credential 2.0 secured as JOSE (vc-jose-cose), and the keys that it may be signed with.
import { base58, base64url, joined, keyOf, sha256, utf8, type Bytes } from "./bytes";
import { fits } from "./ed25519";

export interface Names { ko?: string; en?: string; vi?: string }
export interface Subject {
  id: string;
  product: { id: string; name: string; batchNumber: string; registeredId: string; description: string; productionDate: string; producedByParty: { id: string; name: string } };
  lot: { id: string; product: string; names: Names; variety: string; grade: string; from: string; until: string; shelfLifeDays: number; substitute: boolean; numberCirculates: string };
  quantity: { value: number; error: number; unit: string; source: string };
  allergens: { code: string; names: Names }[];
  producer: { id: string; ko: string; en: string; source: string };
  town: { ko: string; en: string; lon?: number; lat?: number };
}
export interface Body {
  id: string;
  type: string[];
  issuer: { id: string; name: string };
  validFrom: string;
  validUntil: string;
  credentialStatus?: { type: string; statusPurpose: string; statusListIndex: string; statusListCredential: string };
  credentialSubject: Subject & { type?: string; statusPurpose?: string; encodedList?: string };
}
export interface Credential { jwt: string; did: string; key: string; body: Body; signed: Bytes; signature: Bytes }

const decoder = new TextDecoder("utf-8", { fatal: true });
/** Reads one strictly; its enveloped form too. Throws `RangeError`: it is none. */
export function read(text: string): Credential {
  const jwt = text.trim().replace(/^data:application\/vc\+jwt,/, "");
  const pieces = jwt.split(".");
  if (pieces.length !== 3 || jwt.length > 262_144) throw new RangeError("no signed credential");
  let header: Record<string, unknown>;
  let body: Body;
  try {
    header = JSON.parse(decoder.decode(base64url(pieces[0]!))) as Record<string, unknown>;
    body = JSON.parse(decoder.decode(base64url(pieces[1]!))) as Body;
  } catch {
    throw new RangeError("cannot be read");
  }
  const extra = Object.keys(header).filter((name) => !["alg", "typ", "cty", "kid"].includes(name));
  if (!["EdDSA", "Ed25519"].includes(String(header.alg)) || header.typ !== "vc+jwt" || extra.length || typeof header.kid !== "string") throw new RangeError("secured in another way");
  const [did = "", key = ""] = header.kid.split("#");
  if (!did.startsWith("did:web:") || !key || !Array.isArray(body?.type) || !body.type.includes("VerifiableCredential")) throw new RangeError("no credential");
  return { jwt, did, key, body, signed: utf8(`${pieces[0]}.${pieces[1]}`), signature: base64url(pieces[2]!) };
}

/** A key of a city: from when on it signs nothing new, and whether it counts for nothing. */
export interface Key { public: string; retired?: string; revoked?: string }
export interface DidDocument {
  id: string;
  verificationMethod?: { id: string; type: string; controller: string; publicKeyMultibase: string; expires?: string; revoked?: string }[];
  assertionMethod?: (string | { id: string })[];
  succession?: Record<string, Value>[];
}
export function keysOf(document: DidDocument): Key[] {
  return (document.verificationMethod ?? [])
    .filter((one) => one.type === "Multikey" && one.controller === document.id && one.id === `${document.id}#${one.publicKeyMultibase}`)
    .map((one) => ({ public: one.publicKeyMultibase, retired: one.expires, revoked: one.revoked }));
}

export type Wrong = "" | "forged" | "not-yet-valid" | "expired";
/** What is wrong with a credential's signature and dates. `now` null: dates are not looked at. */
export async function wrongWith(one: Credential, keys: Key[], now: number | null): Promise<Wrong> {
  const key = keys.find((known) => known.public === one.key);
  if (!key || key.revoked || one.did !== one.body.issuer?.id) return "forged";
  const [since, until] = [Date.parse(one.body.validFrom), Date.parse(one.body.validUntil)];
  if (Number.isNaN(since) || Number.isNaN(until)) return "forged";
  if (key.retired && since > Date.parse(key.retired)) return "forged";
  try {
    if (!(await fits(keyOf(key.public), one.signature, one.signed))) return "forged";
  } catch {
    return "forged";
  }
  if (now === null) return "";
  return now < since ? "not-yet-valid" : now > until ? "expired" : "";
}

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
/** The canonical form of a JSON value (RFC 8785). */
export function canonical(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k]!)}`).join(",")}}`;
  return JSON.stringify(value);
}

/** The keys that follow from those that were pinned: pinned ones, and those that one of them signed for (`succession`, eddsa-jcs-2022). */
export async function following(document: DidDocument, pinned: string[]): Promise<Set<string>> {
  const good = new Set(pinned);
  for (const said of document.succession ?? []) {
    const { proof, ...plain } = said as { proof?: Record<string, Value> } & Record<string, Value>;
    const { proofValue, ...options } = proof ?? {};
    const [before, after] = [String(plain.previous), String(plain.next)];
    if (!good.has(before) || typeof proofValue !== "string") continue;
    const hashes = await Promise.all([options, plain].map((part) => sha256(utf8(canonical(part as Value)))));
    try {
      if (await fits(keyOf(before), base58(proofValue), joined(...hashes))) good.add(after);
    } catch {
      continue;
    }
  }
  return good;
}
