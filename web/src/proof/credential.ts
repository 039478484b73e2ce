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
  "@context"?: unknown;
  id: string;
  type: string[];
  issuer: { id: string; name: string };
  validFrom: string;
  validUntil: string;
  credentialStatus?: { type: string; statusPurpose: string; statusListIndex: string; statusListCredential: string };
  credentialSubject: Subject & { type?: string; statusPurpose?: string; encodedList?: string };
}
export interface Credential { jwt: string; did: string; key: string; body: Body; signed: Bytes; signature: Bytes }

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const CONTEXT = "https://www.w3.org/ns/credentials/v2";

/** Refuses a name that stands twice in an object: readers would differ on what it says. The text is JSON. */
function once(text: string): void {
  const open: (Set<string> | null)[] = [];
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const [sign] = found;
    if (sign === "{") open.push(new Set());
    else if (sign === "[") open.push(null);
    else if (sign === "}" || sign === "]") open.pop();
    else if (found[2]) {
      const name = JSON.parse(found[1]!) as string;
      if (open.at(-1)?.has(name)) throw new RangeError("a name twice");
      open.at(-1)?.add(name);
    }
  }
}
function json<T>(part: string): T {
  const text = decoder.decode(base64url(part));
  const value = JSON.parse(text) as T;
  once(text);
  return value;
}

const MOMENT = /^([1-9]\d{3})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
/** A moment with its zone (XML Schema), milliseconds; NaN: it is none. */
export function moment(said: unknown): number {
  const found = typeof said === "string" ? MOMENT.exec(said) : null;
  if (!found) return NaN;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month < 1 || month > 12 || day < 1 || day > days || hour > 23 || minute > 59 || second > 59 ? NaN : Date.parse(said as string);
}
/** Who issued it: the DID; "" where it names none. */
export function issuerOf(body: Body): string {
  const said = body.issuer as unknown;
  const id = typeof said === "string" ? said : (said as { id?: unknown } | null | undefined)?.id;
  return typeof id === "string" ? id : "";
}

/** Reads one strictly; its enveloped form too. Throws `RangeError`: it is none. */
export function read(text: string): Credential {
  const jwt = text.trim().replace(/^data:application\/vc\+jwt,/, "");
  const pieces = jwt.split(".");
  if (pieces.length !== 3 || jwt.length > 262_144) throw new RangeError("no signed credential");
  let header: Record<string, unknown>;
  let body: Body;
  try {
    header = json<Record<string, unknown>>(pieces[0]!);
    body = json<Body>(pieces[1]!);
  } catch {
    throw new RangeError("cannot be read");
  }
  for (const one of [header, body] as unknown[]) if (one === null || typeof one !== "object" || Array.isArray(one)) throw new RangeError("cannot be read");
  const extra = Object.keys(header).filter((name) => !["alg", "typ", "cty", "kid"].includes(name));
  if (!["EdDSA", "Ed25519"].includes(header.alg as string) || header.typ !== "vc+jwt" || extra.length || typeof header.kid !== "string") throw new RangeError("secured in another way");
  const mark = header.kid.indexOf("#");
  const [did, key] = mark < 0 ? ["", ""] : [header.kid.slice(0, mark), header.kid.slice(mark + 1)];
  if (!did.startsWith("did:web:") || !key || !Array.isArray(body?.type) || !body.type.includes("VerifiableCredential")) throw new RangeError("no credential");
  if (!Array.isArray(body["@context"]) || body["@context"][0] !== CONTEXT) throw new RangeError("no credential of version 2.0");
  return { jwt, did, key, body, signed: utf8(`${pieces[0]}.${pieces[1]}`), signature: base64url(pieces[2]!) };
}

const isText = (...all: unknown[]): boolean => all.every((one) => typeof one === "string");
/** What it is of, where all is there that the page tells; null: it says less, or something else. Signed or not is not asked here. */
export function subjectOf(one: Credential): Subject | null {
  try {
    const { product, lot, quantity, allergens, producer, town } = one.body.credentialSubject;
    const days = [lot.from, lot.until].map((day) => moment(`${day}T00:00:00Z`));
    const words = isText(
      one.body.issuer.name, product.name, product.batchNumber, product.registeredId, product.producedByParty.name,
      lot.variety, lot.grade, quantity.source, producer.ko, producer.en, producer.source, town.ko, town.en, ...Object.values(lot.names),
      ...allergens.flatMap((each) => [each.code, ...Object.values(each.names)]),
    );
    const numbers = [quantity.value, quantity.error, lot.shelfLifeDays, town.lon ?? 0, town.lat ?? 0, moment(one.body.validFrom), moment(one.body.validUntil), ...days];
    return words && numbers.every((each) => typeof each === "number" && Number.isFinite(each)) ? one.body.credentialSubject : null;
  } catch {
    return null;
  }
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
  if (!key || key.revoked || one.did !== issuerOf(one.body)) return "forged";
  const [since, until] = [moment(one.body.validFrom), moment(one.body.validUntil)];
  if (Number.isNaN(since) || Number.isNaN(until)) return "forged";
  if (key.retired && !(since <= Date.parse(key.retired))) return "forged";
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
