// That the city's ledger holds the digest of a certificate: the opened entry, its way up the tree, and the signed checkpoint
// (RFC 6962, 2.1; C2SP tlog-checkpoint and signed-note).
import { base64, hex, joined, keyOf, same, sha256, utf8 } from "./bytes";
import { canonical, type Key } from "./credential";
import { fits } from "./ed25519";
import { rootOf } from "./tree";

export interface Opened { type: string; origin: string; entry: number; leaf: string; proof: string[]; checkpoint: string; record: Record<string, string>; salt: string }

/** Whether the entry is of this digest, in a tree that one of these keys signed under this name, and when it was entered. */
export async function entered(opened: Opened, digest: string, origin: string, keys: Key[]): Promise<{ good: boolean; at: string; size: number }> {
  const none = { good: false, at: "", size: 0 };
  try {
    const leaf = JSON.parse(opened.leaf) as { at: string; digest: string; kind: string };
    const cut = opened.checkpoint.indexOf("\n\n");
    const text = opened.checkpoint.slice(0, cut + 1);
    const [name = "", count = "", root = ""] = text.split("\n");
    if (cut < 0 || name !== origin || opened.origin !== origin || leaf.kind !== "certificate" || opened.record.digest !== digest) return none;
    const salted = hex(await sha256(joined(base64(opened.salt), utf8(canonical(opened.record)))));
    const found = await rootOf(utf8(opened.leaf), opened.entry, Number(count), opened.proof.map(base64));
    if (salted !== leaf.digest || !found || !same(found, base64(root))) return none;
    for (const line of opened.checkpoint.slice(cut + 2).split("\n")) {
      const [, who, packed] = /^— (\S+) (\S+)$/.exec(line) ?? [];
      if (who !== origin || !packed) continue;
      const signature = base64(packed).slice(4);
      for (const key of keys) if (!key.revoked && (await fits(keyOf(key.public), signature, utf8(text)))) return { good: true, at: leaf.at, size: Number(count) };
    }
  } catch {
    return none;
  }
  return none;
}
