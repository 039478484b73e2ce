import { describe, expect, it } from "vitest";
import type { Terms } from "../src/api/exchange";
import { viewBox } from "../src/state/exchange-box";
import { readSpot, writeSpot } from "../src/state/exchange";
import { base58, canonical, check, proofHolds, rootOf, type LedgerProof } from "../src/state/exchange-proof";
import { conditionOf, ourMove } from "../src/state/exchange-room";
import { bearing, changed, dayOf, momentOf, noTerms, sidesOf } from "../src/state/exchange-terms";
import { meets, planeOf, refusalOf, shapesOf } from "../src/state/exchange-view";
import { ServerProblem } from "../src/api/client";

const terms = (more: Partial<Terms> = {}): Terms => ({ ...noTerms(), assets: ["layer:buildings", "process:sunlight"], ...more });

describe("terms of an agreement", () => {
  it("name what a counter-offer changes, and whether it asks for less", () => {
    const before = terms({ area: [127, 37, 127.2, 37.2], until: "2027-12-31T14:59:59Z", purposes: ["research", "environment"] });
    const now = terms({ area: [127.05, 37.05, 127.1, 37.1], until: "2027-06-30T23:59:59+09:00", purposes: ["environment", "research"] });
    expect(changed(before, now)).toEqual(["area", "until"]);
    expect(bearing("area", before, now)).toBe("narrower");
    expect(bearing("until", before, now)).toBe("narrower");
    expect(bearing("until", now, before)).toBe("wider");
    expect(bearing("until", before, terms())).toBe("wider");
    expect(bearing("finest_m", terms({ finest_m: 1 }), terms({ finest_m: 5 }))).toBe("narrower");
  });
  it("are the same where the same moment is written otherwise and a list stands in another order", () => {
    expect(changed(terms({ until: "2027-06-30T14:59:59Z" }), terms({ until: "2027-06-30T23:59:59+09:00", assets: ["process:sunlight", "layer:buildings"] }))).toEqual([]);
  });
  it("end with a day of the city's own calendar", () => {
    expect(momentOf("2027-06-30", "end", "Asia/Seoul")).toBe("2027-06-30T14:59:59Z");
    expect(momentOf("2027-06-30", "start", "Asia/Ho_Chi_Minh")).toBe("2027-06-29T17:00:00Z");
    expect(momentOf("2027-03-28", "end", "Europe/Berlin")).toBe("2027-03-28T21:59:59Z");
    expect(dayOf("2027-06-30T14:59:59Z", "Asia/Seoul")).toBe("2027-06-30");
    expect(dayOf(null, "Asia/Seoul")).toBe("");
  });
  it("know how wide a box is", () => {
    const [wide, high] = sidesOf([127, 37, 127.01, 37.01]);
    expect(wide).toBeCloseTo(888, 0);
    expect(high).toBeCloseTo(1112, 0);
  });
});

describe("a negotiation", () => {
  it("waits for us only while it goes on", () => {
    expect(ourMove({ state: "REQUESTED", turn: "ours" })).toBe(true);
    expect(ourMove({ state: "REQUESTED", turn: "theirs" })).toBe(false);
    expect(ourMove({ state: "TERMINATED", turn: "ours" })).toBe(false);
  });
});

describe("what is looked at", () => {
  it("is a box about the place before the camera", () => {
    const twin = { id: "t", kind: "city3d", bounds_lonlat: [127, 37, 127.1, 37.1], ground: { ellipsoidal_m: 40 } };
    const look = (camera: object | null) => viewBox({ twins: { current: twin }, place: { camera } } as never, null);
    expect(look(null)).toBeNull();
    const [w, s, e, n] = look({ lon: 127.05, lat: 37.05, height: 540, heading: 0, pitch: -45 })!;
    expect((w + e) / 2).toBeCloseTo(127.05, 5);
    expect((s + n) / 2).toBeGreaterThan(37.05);
    expect((n - s) * 111_195).toBeCloseTo(707, 0);
  });
});

describe("what the server does not say", () => {
  it("is told apart: not built in, not for this caller, not reached", () => {
    expect(conditionOf(new ServerProblem(404, {}))).toBe("missing");
    expect(conditionOf(new ServerProblem(403, {}))).toBe("closed");
    expect(conditionOf(new ServerProblem(0, {}))).toBe("lost");
    expect(refusalOf(new ServerProblem(403, { detail: "outside", code: "outside-area" } as never))).toEqual({ code: "outside-area", text: "outside", status: 403 });
  });
});

describe("a partner's things", () => {
  it("stand in metres with their heights, rings wound one way", () => {
    const ring = [[127.1, 37.5], [127.1, 37.501], [127.101, 37.501], [127.101, 37.5], [127.1, 37.5]];
    const { solids, points } = shapesOf(
      [
        { id: "a", geometry: { type: "Polygon", coordinates: [ring] }, properties: { height_m: 60, name: "slab" } },
        { id: "b", geometry: { type: "Point", coordinates: [127.1, 37.5] }, properties: {} },
        { id: "c", geometry: null, properties: {} },
      ],
      planeOf(127.1, 37.5),
    );
    expect(solids).toHaveLength(1);
    expect(solids[0]!.parts[0]!.outline).toHaveLength(4);
    expect(solids[0]!.parts[0]!.top_m).toBe(60);
    expect(points).toEqual([{ lon: 127.1, lat: 37.5, z: 0, colour: null }]);
    expect(planeOf(127.1, 37.5)).toBe("EPSG:32652");
    expect(meets([127, 37, 128, 38], [127.5, 37.5, 129, 39])).toBe(true);
    expect(meets([127, 37, 127.1, 37.1], [127.2, 37, 128, 38])).toBe(false);
  });
  it("have an address of their own in the column", () => {
    expect(readSpot("agreement/urn:uuid:1/2")).toEqual({ page: "agreement", id: "urn:uuid:1/2" });
    expect(writeSpot(readSpot(""))).toBe("");
    expect(writeSpot({ page: "peer", id: "jamsil" })).toBe("peer/jamsil");
  });
});

// A log made here: Ed25519 and SHA-256 of the platform, so that what is checked was not made by what checks it.
const utf8 = new TextEncoder();
const sha = async (...parts: Uint8Array[]) => new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(parts.flatMap((p) => [...p]))));
const b64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
function z58(bytes: Uint8Array): string {
  let value = bytes.reduce((n, b) => n * 256n + BigInt(b), 0n);
  let out = "";
  for (; value > 0n; value /= 58n) out = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[Number(value % 58n)] + out;
  return `z${out}`;
}
async function keys() {
  const pair = (await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"])) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const sign = async (data: Uint8Array) => new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, data as never));
  return { multikey: z58(Uint8Array.of(0xed, 1, ...raw)), sign };
}
async function proofOf(at: number, leaves: string[]): Promise<{ root: Uint8Array; path: string[] }> {
  const hash = async (from: number, to: number): Promise<Uint8Array> => {
    if (to - from === 1) return sha(Uint8Array.of(0), utf8.encode(leaves[from]!));
    let k = 1;
    while (k * 2 < to - from) k *= 2;
    return sha(Uint8Array.of(1), await hash(from, from + k), await hash(from + k, to));
  };
  const path = async (m: number, from: number, to: number): Promise<Uint8Array[]> => {
    if (to - from === 1) return [];
    let k = 1;
    while (k * 2 < to - from) k *= 2;
    return m < k ? [...(await path(m, from, from + k)), await hash(from + k, to)] : [...(await path(m - k, from + k, to)), await hash(from, from + k)];
  };
  return { root: await hash(0, leaves.length), path: (await path(at, 0, leaves.length)).map(b64) };
}

describe("a proof", () => {
  it("leads from every leaf to the root, and from no other", async () => {
    for (const size of [1, 2, 3, 5, 8, 13]) {
      const leaves = Array.from({ length: size }, (_, i) => `leaf ${i}`);
      for (let at = 0; at < size; at++) {
        const { root, path } = await proofOf(at, leaves);
        expect(await rootOf(leaves[at]!, at, size, path)).toEqual(root);
        expect(await rootOf("another", at, size, path)).not.toEqual(root);
      }
    }
    expect(await rootOf("leaf", 3, 3, [])).toBeNull();
  });
  it("holds only by the city's key and the partner's, over this very tree", async () => {
    const [ours, theirs, stranger] = await Promise.all([keys(), keys(), keys()]);
    const leaves = ["a", "b", "c"];
    const { root, path } = await proofOf(1, leaves);
    const body = `127.0.0.1/twins/jamsil/ledger\n3\n${b64(root)}\n`;
    const time = new Uint8Array(8);
    new DataView(time.buffer).setBigUint64(0, 1_800_000_000n);
    const lines = [
      `— jamsil ${b64(Uint8Array.of(1, 2, 3, 4, ...(await ours.sign(utf8.encode(body)))))}`,
      `— icheon ${b64(Uint8Array.of(5, 6, 7, 8, ...time, ...(await theirs.sign(utf8.encode(`cosignature/v1\ntime 1800000000\n${body}`)))))}`,
    ];
    const proof: LedgerProof = {
      entry: 1, size: 3, leaf: "b", proof: path, root: b64(root), origin: "o", checkpoint: `${body}\n${lines.join("\n")}\n`, key: ours.multikey,
      cosignatures: [{ witness: "icheon", peer: "icheon", at: "2027-01-15T08:00:00Z", good: true }],
    };
    expect(await check(proof, () => [theirs.multikey])).toMatchObject({ included: true, signed: true, cosigned: [{ good: true, here: true }] });
    expect(await check(proof, () => [stranger.multikey])).toMatchObject({ included: true, cosigned: [{ good: false }] });
    expect(await check({ ...proof, key: stranger.multikey }, () => [theirs.multikey])).toMatchObject({ signed: false });
    expect(await check({ ...proof, leaf: "B" }, () => [theirs.multikey])).toMatchObject({ included: false });
  });
  it("of a document holds until a word of it is changed (eddsa-jcs-2022)", async () => {
    const key = await keys();
    expect(canonical({ b: [1, "é"], a: null })).toBe('{"a":null,"b":[1,"é"]}');
    const document = { id: "urn:1", says: "yes" };
    const options = { type: "DataIntegrityProof", cryptosuite: "eddsa-jcs-2022", verificationMethod: `did:web:x#${key.multikey}` };
    const hash = Uint8Array.from([...(await sha(utf8.encode(canonical(options)))), ...(await sha(utf8.encode(canonical(document))))]);
    const proofValue = z58(await key.sign(hash));
    expect(await proofHolds({ ...document, proof: { ...options, proofValue } }, key.multikey)).toBe(true);
    expect(await proofHolds({ ...document, says: "no", proof: { ...options, proofValue } }, key.multikey)).toBe(false);
    expect(() => base58("x")).toThrow(RangeError);
  });
});
