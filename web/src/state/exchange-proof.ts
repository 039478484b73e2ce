// Proofs checked in the page itself: that an entry is in a ledger's tree, that a checkpoint is signed by a city and cosigned by another
// (RFC 6962, 2.1; C2SP tlog-checkpoint, signed-note, tlog-cosignature), and that a document is signed (eddsa-jcs-2022).
import { base58, base64 as bytesOf, joined, keyOf as keyIn, same, sha256, utf8, type Bytes } from "../proof/bytes";
import { rootOf as rootIn } from "../proof/tree";

export { base58 };
/** Of a leaf and the hashes beside its way up (base64), the root that they lead to; `null` where they do not fit the size. */
export const rootOf = (leaf: string, entry: number, size: number, path: string[]): Promise<Bytes | null> => rootIn(utf8(leaf), entry, size, path.map(bytesOf));
/** The 32 bytes of an Ed25519 key written as a Multikey, or as the name of a key that ends in one. */
const keyOf = (multikey: string): Bytes => keyIn(multikey.split("#").pop()!);

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
    const data = utf8(plain ? checkpoint.body : `cosignature/v1\ntime ${time}\n${checkpoint.body}`);
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
  const [a, b] = await Promise.all([sha256(utf8(canonical(options))), sha256(utf8(canonical(rest)))]);
  try {
    return await signed(multikey, base58(proofValue), joined(a, b));
  } catch {
    return false;
  }
}
