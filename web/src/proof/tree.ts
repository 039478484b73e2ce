// The tree of a log (RFC 6962): where a leaf and the hashes beside its way up lead.
import { joined, sha256, type Bytes } from "./bytes";

/** Of a leaf and the hashes beside its way up, the root that they lead to (RFC 9162, 2.1.3.2); null where they do not fit the size. */
export async function rootOf(leaf: Bytes, entry: number, size: number, path: Bytes[]): Promise<Bytes | null> {
  if (!(entry >= 0 && entry < size)) return null;
  let hash = await sha256(joined(Uint8Array.of(0), leaf));
  let [fn, sn] = [entry, size - 1];
  for (const beside of path) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      hash = await sha256(joined(Uint8Array.of(1), beside, hash));
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else hash = await sha256(joined(Uint8Array.of(1), hash, beside));
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? hash : null;
}
