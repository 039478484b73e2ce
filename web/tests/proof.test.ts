import { createHash, generateKeyPairSync, randomBytes, sign as signed, type KeyObject } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { base58, base64url, hex, keyOf, plainSha256, plainSha512, utf8 } from "../src/proof/bytes";
import { check, lotOf, type Seen } from "../src/proof/check";
import { canonical, following, keysOf, read, type DidDocument } from "../src/proof/credential";
import { byHand, fits } from "../src/proof/ed25519";
import type { Opened } from "../src/proof/ledger";
import { outline, townAt, flight } from "../src/proof/outline";
import { bitsOf, isSet } from "../src/proof/status";
import { LANGS, langOf, say, WORDS } from "../src/proof/words";

const DID = "did:web:icheon.example:twins:icheon";
const BASE = "https://icheon.example/twins/icheon";
const LINK = `${BASE}/01/02900000000018/10/ICN-01`;
const LIST = `${BASE}/status-lists/sl-1`;
const NOW = Date.parse("2027-09-18T03:00:00Z");
const b64u = (data: Buffer | string) => Buffer.from(data).toString("base64url");
const hash = (...parts: Uint8Array[]) => parts.reduce((h, part) => h.update(part), createHash("sha256")).digest();

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const z = (data: Buffer) => {
  let [value, text] = [BigInt(`0x${data.toString("hex")}`), ""];
  for (; value; value /= 58n) text = ALPHABET[Number(value % 58n)] + text;
  return `z${text}`;
};
interface Pair { secret: KeyObject; public: string }
function pair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  return { secret: privateKey, public: z(Buffer.concat([Buffer.from([0xed, 1]), raw])) };
}
const KEY = pair();
const documentOf = (keys: (Pair & { expires?: string; revoked?: string })[], more: object = {}): DidDocument => ({
  id: DID,
  verificationMethod: keys.map((one) => ({ id: `${DID}#${one.public}`, type: "Multikey", controller: DID, publicKeyMultibase: one.public, ...(one.expires ? { expires: one.expires } : {}), ...(one.revoked ? { revoked: one.revoked } : {}) })),
  assertionMethod: keys.map((one) => `${DID}#${one.public}`),
  ...more,
});
function secured(body: object, key = KEY): string {
  const text = `${b64u(JSON.stringify({ alg: "EdDSA", cty: "vc", kid: `${DID}#${key.public}`, typ: "vc+jwt" }))}.${b64u(JSON.stringify(body))}`;
  return `${text}.${b64u(signed(null, Buffer.from(text), key.secret))}`;
}
const CONTEXT = ["https://www.w3.org/ns/credentials/v2"];
const certificate = (more: object = {}, subject: object = {}) => ({
  "@context": CONTEXT, id: `${BASE}/certificates/ct-1`, type: ["DigitalProductPassport", "VerifiableCredential"], issuer: { id: DID, name: "본부 / Headquarters" },
  validFrom: "2027-09-01T00:00:00Z", validUntil: "2027-12-31T00:00:00Z",
  credentialStatus: { type: "BitstringStatusListEntry", statusPurpose: "revocation", statusListIndex: "77", statusListCredential: LIST },
  credentialSubject: { id: LINK, product: { id: LINK, batchNumber: "ICN-01" }, ...subject }, ...more,
});
function list(revoked: number[] = [], more: object = {}, key = KEY): string {
  const bits = Buffer.alloc(16384);
  for (const place of revoked) bits[place >> 3]! |= 128 >> (place & 7);
  return secured({
    "@context": CONTEXT, id: LIST, type: ["VerifiableCredential", "BitstringStatusListCredential"], issuer: { id: DID, name: "본부" },
    validFrom: "2027-09-18T02:59:00Z", validUntil: "2027-09-19T03:00:00Z",
    credentialSubject: { type: "BitstringStatusList", statusPurpose: "revocation", encodedList: `u${b64u(gzipSync(bits))}` }, ...more,
  }, key);
}
/** The entry of a certificate in a ledger of two. */
function entry(jwt: string, more: Partial<Opened> = {}, key = KEY): Opened {
  const record = { certificate: "ct-1", digest: createHash("sha256").update(jwt).digest("hex") };
  const salt = randomBytes(16);
  const leaf = `{"at":"2027-09-01T00:00:01.000Z","digest":"${hash(salt, Buffer.from(canonical(record))).toString("hex")}","kind":"certificate"}`;
  const [zero, one] = [Buffer.from([0]), Buffer.from([1])];
  const before = hash(zero, Buffer.from("another leaf"));
  const root = hash(one, before, hash(zero, Buffer.from(leaf)));
  const origin = "icheon.example/twins/icheon/ledger";
  const text = `${origin}\n2\n${root.toString("base64")}\n`;
  const line = Buffer.concat([Buffer.alloc(4), signed(null, Buffer.from(text), key.secret)]).toString("base64");
  return { type: "twintown-ledger-entry/1", origin, entry: 1, leaf, proof: [before.toString("base64")], checkpoint: `${text}\n— ${origin} ${line}\n`, record, salt: salt.toString("base64"), ...more };
}
const seen = (jwt: string, more: Partial<Seen> = {}): Seen => ({
  did: DID, document: documentOf([KEY]), trusted: null, lot: lotOf(LINK), status: list(), fresh: true, entry: entry(jwt), origin: "icheon.example/twins/icheon/ledger", ...more,
});
const whyOf = async (jwt: string, more: Partial<Seen> = {}, now = NOW) => {
  const found = await check(jwt, seen(jwt, more), now);
  return [found.state, found.why];
};

describe("a certificate on the visitor's device", () => {
  const jwt = secured(certificate());
  it("holds where all six questions are answered well", async () => {
    const found = await check(jwt, seen(jwt), NOW);
    expect(found.checks.map((one) => [one.of, one.state])).toEqual(["issuer", "signature", "lot", "dates", "status", "ledger"].map((of) => [of, "good"]));
    expect(found.state).toBe("good");
  });
  it("is forged where anything was changed, another key signed, or its key was revoked or had retired", async () => {
    const [head, , signature] = jwt.split(".");
    const changed = `${head}.${b64u(JSON.stringify(certificate({ validUntil: "2040-01-01T00:00:00Z" })))}.${signature}`;
    expect(await whyOf(changed)).toEqual(["bad", "forged"]);
    expect(await whyOf(secured(certificate(), pair()))).toEqual(["bad", "forged"]);
    expect(await whyOf(jwt, { document: documentOf([{ ...KEY, revoked: "2027-09-10T00:00:00Z" }]) })).toEqual(["bad", "forged"]);
    expect(await whyOf(jwt, { document: documentOf([{ ...KEY, expires: "2027-08-01T00:00:00Z" }]) })).toEqual(["bad", "forged"]);
    for (const junk of ["", "hello", "a.b.c", `${jwt}.x`, "€.€.€"]) expect(await whyOf(junk)).toEqual(["bad", "forged"]);
  });
  it("still holds when its key has retired since", async () => {
    const now = pair();
    const document = documentOf([{ ...KEY, expires: "2027-09-10T00:00:00Z" }, now]);
    expect(await whyOf(jwt, { document, status: list([], {}, now) })).toEqual(["good", ""]);
  });
  it("is of somebody unknown where another city issued it, or nobody's keys are known", async () => {
    const other = "did:web:fake.example:twins:icheon";
    expect(await whyOf(secured(certificate({ issuer: { id: other, name: "x" } })))).toEqual(["bad", "unknown-issuer"]);
    expect(await whyOf(jwt, { document: null })).toEqual(["bad", "unknown-issuer"]);
  });
  it("is for another lot where the bag says so, or where it names two", async () => {
    expect(await whyOf(jwt, { lot: lotOf(`${BASE}/01/02900000000018/10/ICN-02`) })).toEqual(["bad", "other-lot"]);
    expect(await whyOf(secured(certificate({}, { product: { id: LINK, batchNumber: "ICN-09" } })))).toEqual(["bad", "other-lot"]);
  });
  it("holds between its dates only", async () => {
    expect(await whyOf(jwt, { status: list([], { validUntil: "2030-01-01T00:00:00Z" }) }, Date.parse("2028-01-01T00:00:00Z"))).toEqual(["bad", "expired"]);
    expect(await whyOf(jwt, {}, Date.parse("2027-08-01T00:00:00Z"))).toEqual(["bad", "not-yet-valid"]);
  });
  it("is revoked by the list that the city signed, an old one too, and by no other", async () => {
    expect(await whyOf(jwt, { status: list([77]) })).toEqual(["bad", "revoked"]);
    expect(await whyOf(jwt, { status: list([77], { validUntil: "2027-09-18T02:00:00Z" }) })).toEqual(["bad", "revoked"]);
    expect(await whyOf(jwt, { status: list([76, 78]) })).toEqual(["good", ""]);
    expect(await whyOf(jwt, { status: list([77], {}, pair()) })).toEqual(["unknown", "status-unknown"]);
    expect(await whyOf(jwt, { status: list([77], { id: `${LIST}x` }) })).toEqual(["unknown", "status-unknown"]);
    expect(await whyOf(jwt, { status: list([], { credentialSubject: { type: "BitstringStatusList", statusPurpose: "revocation", encodedList: `u${b64u(gzipSync(Buffer.alloc(99)))}` } }) })).toEqual(["unknown", "status-unknown"]);
  });
  it("says since when nobody was asked, instead of that it is good", async () => {
    const offline = await check(jwt, seen(jwt, { fresh: false }), NOW);
    expect([offline.state, offline.why]).toEqual(["unknown", "status-old"]);
    expect(offline.checks.find((one) => one.of === "status")!.what).toBe("2027-09-18T02:59:00Z");
    expect(await whyOf(jwt, { status: "" })).toEqual(["unknown", "status-unknown"]);
  });
  it("stands in the ledger, by its own digest, in a tree that the city signed", async () => {
    expect(await whyOf(jwt, { entry: null })).toEqual(["unknown", "ledger-unknown"]);
    expect(await whyOf(jwt, { entry: entry(`${jwt}x`) })).toEqual(["bad", "not-in-ledger"]);
    expect(await whyOf(jwt, { entry: entry(jwt, {}, pair()) })).toEqual(["bad", "not-in-ledger"]);
    expect(await whyOf(jwt, { entry: entry(jwt, { proof: [randomBytes(32).toString("base64")] }) })).toEqual(["bad", "not-in-ledger"]);
    const late = secured(certificate({ validFrom: "2027-09-05T00:00:00Z" }));
    expect(await whyOf(late)).toEqual(["bad", "not-in-ledger"]);
  });
  it("is read in its enveloped form too", () => {
    expect(read(`data:application/vc+jwt,${jwt}`).jwt).toBe(jwt);
  });
});

describe("the keys that this device saw first", () => {
  const next = pair();
  const endorsed = (by: Pair, to: Pair) => {
    const plain = { type: "KeySuccession", twin: "icheon", previous: by.public, next: to.public, at: "2027-09-10T00:00:00Z" };
    const options = { type: "DataIntegrityProof", cryptosuite: "eddsa-jcs-2022", created: "2027-09-10T00:00:00Z", verificationMethod: `did:key:${by.public}#${by.public}`, proofPurpose: "assertionMethod" };
    const data = Buffer.concat([hash(Buffer.from(canonical(options))), hash(Buffer.from(canonical(plain)))]);
    return { ...plain, proof: { ...options, proofValue: z(signed(null, data, by.secret)) } };
  };
  it("vouch for their successors, and for nobody else", async () => {
    const document = documentOf([KEY, next], { succession: [endorsed(KEY, next)] });
    expect(await following(document, [KEY.public])).toEqual(new Set([KEY.public, next.public]));
    const stranger = pair();
    const forged = { ...endorsed(stranger, next), previous: KEY.public };
    expect(await following(documentOf([KEY, next], { succession: [forged] }), [KEY.public])).toEqual(new Set([KEY.public]));
  });
  it("name keys that came without notice", async () => {
    const jwt = secured(certificate(), next);
    const more = { document: documentOf([next]), trusted: new Set([KEY.public]), status: list([], {}, next), entry: entry(jwt, {}, next) };
    expect(await whyOf(jwt, more)).toEqual(["bad", "keys-changed"]);
  });
  it("are those of the document's own", () => {
    const document = documentOf([KEY]);
    document.verificationMethod!.push({ ...document.verificationMethod![0]!, controller: "did:web:other.example" });
    expect(keysOf(document).length).toBe(1);
  });
});

describe("what a browser without WebCrypto computes", () => {
  it("are the hashes of FIPS 180-4", () => {
    for (const length of [0, 1, 55, 56, 63, 64, 111, 112, 127, 128, 300]) {
      const data = Buffer.from(Array.from({ length }, (_, i) => (i * 7 + length) & 255));
      expect(hex(plainSha256(data))).toBe(createHash("sha256").update(data).digest("hex"));
      expect(hex(plainSha512(data))).toBe(createHash("sha512").update(data).digest("hex"));
    }
  });
  it("are signatures, by hand as by the browser", async () => {
    const data = utf8("쌀 한 봉투");
    const signature = new Uint8Array(signed(null, data, KEY.secret));
    for (const way of [fits, byHand]) {
      expect(await way(keyOf(KEY.public), signature, data)).toBe(true);
      expect(await way(keyOf(KEY.public), signature, utf8("쌀 두 봉투"))).toBe(false);
      expect(await way(keyOf(pair().public), signature, data)).toBe(false);
    }
  });
  it("reads base64url and base58 in their one way of writing", () => {
    expect(() => base64url("aGk=")).toThrow(RangeError);
    expect(() => base64url("aGk")).not.toThrow();
    expect(() => base64url("aGl")).toThrow(RangeError);
    expect(() => base58("z0OIl")).toThrow(RangeError);
    expect(base58("z1112")).toEqual(Uint8Array.of(0, 0, 0, 1));
  });
});

describe("the page", () => {
  it("speaks the language that is asked for, else the browser's, else English", () => {
    expect(langOf("?lang=vi", ["ko-KR"])).toBe("vi");
    expect(langOf("", ["fr-FR", "ko-KR", "en"])).toBe("ko");
    expect(langOf("?lang=xx", ["fr-FR"])).toBe("en");
  });
  it("says every word in each of them, with the same blanks", () => {
    const blanks = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
    for (const lang of LANGS) {
      expect(Object.keys(WORDS[lang])).toEqual(Object.keys(WORDS.ko));
      for (const word of Object.keys(WORDS.ko) as (keyof typeof WORDS.ko)[]) {
        expect(WORDS[lang][word].trim(), `${lang} ${word}`).not.toBe("");
        expect(blanks(WORDS[lang][word]), `${lang} ${word}`).toBe(blanks(WORDS.ko[word]));
      }
    }
    expect(say("en", "goodSub", { issuer: "King's Mark" })).toContain("King's Mark");
  });
  it("draws the towns and finds the one where it grew", () => {
    const square = (x: number): [number, number][][] => [[[x, 37], [x + 1, 37], [x + 1, 38], [x, 38], [x, 37]]];
    const towns = [{ id: "a", name: "가", rings: square(127) }, { id: "b", name: "나", rings: square(128) }];
    expect(townAt(towns, 128.5, 37.5)?.id).toBe("b");
    expect(townAt(towns, 130, 37.5)).toBeNull();
    const drawn = outline(towns)!;
    expect(drawn.towns[0]!.path).toMatch(/^M.+Z$/);
    const [x, y] = drawn.place(128.5, 37.5);
    expect(x > drawn.width / 2 && x < drawn.width && y > 0 && y < drawn.height).toBe(true);
    expect(outline([])).toBeNull();
    expect(flight("icheon", "vi", 127.44, 37.27, "b")).toMatch(/^\/\?twin=icheon&lang=en&cam=127\.44000,.*&sel=b$/);
  });
  it("reads a lot out of a code's address", () => {
    expect(lotOf(`${LINK}?lang=ko`)).toEqual({ gtin: "02900000000018", batch: "ICN-01" });
    expect(lotOf("https://x.example/01/2900000000018/10/A%2FB")).toEqual({ gtin: "02900000000018", batch: "A/B" });
    expect(lotOf("https://x.example/")).toBeNull();
    expect(isSet(Uint8Array.of(0, 64), 9)).toBe(true);
    expect(() => isSet(Uint8Array.of(0), 9)).toThrow(RangeError);
  });
  it("refuses a list that unpacks without end", async () => {
    const bomb = read(secured({ "@context": CONTEXT, id: LIST, type: ["VerifiableCredential", "BitstringStatusListCredential"], issuer: { id: DID }, validFrom: "", validUntil: "", credentialSubject: { type: "BitstringStatusList", statusPurpose: "revocation", encodedList: `u${b64u(gzipSync(Buffer.alloc(1 << 21)))}` } }));
    await expect(bitsOf(bomb, LIST)).rejects.toThrow(RangeError);
  });
});
