// Proofs checked in the page itself: that an entry is in a ledger's tree, that a checkpoint is signed by a city and cosigned by another
// (RFC 6962, 2.1; C2SP tlog-checkpoint, signed-note, tlog-cosignature), and that a document is signed (eddsa-jcs-2022).
const utf8 = new TextEncoder();
type Bytes = Uint8Array<ArrayBuffer>;

export function bytesOf(base64: string): Bytes {
  const text = atob(base64);
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
const joined = (...all: Uint8Array[]): Bytes => {
  const out = new Uint8Array(all.reduce((n, one) => n + one.length, 0));
  let at = 0;
  for (const one of all) {
    out.set(one, at);
    at += one.length;
  }
  return out;
};
const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((v, i) => v === b[i]);
const sha256 = async (data: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
const node = (left: Bytes, right: Bytes) => sha256(joined(Uint8Array.of(1), left, right));

/** Of a leaf and the hashes beside its way up, the root that they lead to (RFC 9162, 2.1.3.2); `null` where they do not fit the size. */
export async function rootOf(leaf: string, entry: number, size: number, path: string[]): Promise<Bytes | null> {
  if (entry < 0 || entry >= size) return null;
  let hash = await sha256(joined(Uint8Array.of(0), utf8.encode(leaf)));
  let [fn, sn] = [entry, size - 1];
  for (const one of path) {
    if (sn === 0) return null;
    const beside = bytesOf(one);
    if (fn % 2 === 1 || fn === sn) {
      hash = await node(beside, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else hash = await node(hash, beside);
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? hash : null;
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** Multibase base58btc ("z…") as bytes. Throws `RangeError`. */
export function base58(text: string): Bytes {
  if (!text.startsWith("z")) throw new RangeError("not base58btc");
  let value = 0n;
  for (const c of text.slice(1)) {
    const digit = ALPHABET.indexOf(c);
    if (digit < 0) throw new RangeError("not base58btc");
    value = value * 58n + BigInt(digit);
  }
  const out: number[] = [];
  for (; value > 0n; value >>= 8n) out.unshift(Number(value & 255n));
  for (const c of text.slice(1)) {
    if (c !== "1") break;
    out.unshift(0);
  }
  return Uint8Array.from(out);
}
/** The 32 bytes of an Ed25519 key written as a Multikey ("z6Mk…"). */
export function keyOf(multikey: string): Bytes {
  const bytes = base58(multikey.split("#").pop()!);
  if (bytes.length !== 34 || bytes[0] !== 0xed || bytes[1] !== 1) throw new RangeError("not an Ed25519 Multikey");
  return bytes.slice(2);
}

/** `null` where this browser cannot check Ed25519. */
async function signed(multikey: string, signature: Bytes, data: Bytes): Promise<boolean | null> {
  try {
    const key = await crypto.subtle.importKey("raw", keyOf(multikey), { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, key, signature, data);
  } catch (error) {
    if (error instanceof RangeError) return false;
    return null;
  }
}

export interface Checkpoint { origin: string; size: number; root: Bytes; body: string; lines: { name: string; bytes: Bytes }[] }
/** Reads a checkpoint's note. Throws `RangeError`. */
export function readCheckpoint(note: string): Checkpoint {
  const cut = note.indexOf("\n\n");
  if (cut < 0) throw new RangeError("not a signed note");
  const body = note.slice(0, cut + 1);
  const [origin = "", size = "", root = ""] = body.split("\n");
  const lines = note.slice(cut + 2).split("\n").flatMap((line) => {
    const found = /^— (\S+) (\S+)$/.exec(line);
    return found ? [{ name: found[1]!, bytes: bytesOf(found[2]!) }] : [];
  });
  return { origin, size: Number(size), root: bytesOf(root), body, lines };
}

/** That somebody signed the checkpoint: plainly (its own city) or as a witness, whose signature says when (C2SP tlog-cosignature). */
export async function signedBy(checkpoint: Checkpoint, multikey: string): Promise<{ good: boolean | null; at: number | null }> {
  let unknown = false;
  for (const { bytes } of checkpoint.lines) {
    const rest = bytes.slice(4);
    const plain = rest.length === 64;
    if (!plain && rest.length !== 72) continue;
    const time = plain ? null : Number(new DataView(rest.buffer, rest.byteOffset, 8).getBigUint64(0));
    const data = utf8.encode(plain ? checkpoint.body : `cosignature/v1\ntime ${time}\n${checkpoint.body}`) as Bytes;
    const good = await signed(multikey, rest.slice(plain ? 0 : 8), data);
    if (good) return { good: true, at: time === null ? null : time * 1000 };
    unknown ||= good === null;
  }
  return { good: unknown ? null : false, at: null };
}

export interface LedgerProof {
  entry: number;
  size: number;
  leaf: string;
  proof: string[];
  root: string;
  origin: string;
  checkpoint: string;
  key: string;
  cosignatures: { witness: string; peer: string; at: string; good: boolean }[];
}
export interface Proved {
  entry: number;
  size: number;
  /** Whether the leaf and its path lead to the root that the checkpoint names; computed here. */
  included: boolean;
  /** Whether the city signed that checkpoint, checked here by the key that was named; `null` where this browser cannot. */
  signed: boolean | null;
  key: string;
  /** Who else signed it: by the keys that are pinned here, or, where this browser cannot, as the server says. */
  cosigned: { peer: string; at: string; good: boolean; here: boolean }[];
}

/** Checks a proof. `keysOf` names the pinned keys of a peer; `ours` those of the city whose ledger it is, where they are known. */
export async function check(proof: LedgerProof, keysOf: (peer: string) => string[]): Promise<Proved> {
  const checkpoint = readCheckpoint(proof.checkpoint);
  const root = await rootOf(proof.leaf, proof.entry, proof.size, proof.proof);
  const included = !!root && same(root, checkpoint.root) && checkpoint.size === proof.size;
  const own = await signedBy(checkpoint, proof.key);
  const cosigned = await Promise.all(
    proof.cosignatures.map(async (one) => {
      const found = await Promise.all(keysOf(one.peer).map((key) => signedBy(checkpoint, key)));
      const here = found.some((f) => f.good !== null);
      return { peer: one.peer || one.witness, at: one.at, good: here ? found.some((f) => f.good === true) : one.good, here };
    }),
  );
  return { entry: proof.entry, size: proof.size, included, signed: own.good, key: proof.key, cosigned };
}

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
/** The canonical form of a JSON value (RFC 8785). */
export function canonical(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k]!)}`).join(",")}}`;
  return JSON.stringify(value);
}

/** Whether a document's proof (eddsa-jcs-2022) holds by a key; `null` where this browser cannot say. */
export async function proofHolds(document: Record<string, Value>, multikey: string): Promise<boolean | null> {
  const { proof, ...rest } = document;
  if (!proof || typeof proof !== "object" || Array.isArray(proof)) return false;
  const { proofValue, ...options } = proof;
  if (typeof proofValue !== "string") return false;
  const [a, b] = await Promise.all([sha256(utf8.encode(canonical(options)) as Bytes), sha256(utf8.encode(canonical(rest)) as Bytes)]);
  try {
    return await signed(multikey, base58(proofValue), joined(a, b));
  } catch {
    return false;
  }
}
