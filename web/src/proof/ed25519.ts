// Whether a signature is a key's: by the browser (WebCrypto), and where it cannot, by @noble/ed25519.
import { plainSha512, type Bytes } from "./bytes";

let native: boolean | undefined;

/** Ed25519 (RFC 8032): 32 bytes of key, 64 of signature. */
export async function fits(key: Bytes, signature: Bytes, data: Bytes): Promise<boolean> {
  if (key.length !== 32 || signature.length !== 64) return false;
  const subtle = globalThis.crypto?.subtle;
  if (subtle && native !== false) {
    try {
      const known = await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
      native = true;
      return await subtle.verify({ name: "Ed25519" }, known, signature, data);
    } catch {
      if (native) return false;
      native = false;
    }
  }
  return await byHand(key, signature, data);
}

/** The same without the browser's help. */
export async function byHand(key: Bytes, signature: Bytes, data: Bytes): Promise<boolean> {
  const ed = await import("@noble/ed25519");
  ed.hashes.sha512 = (message: Uint8Array) => plainSha512(message);
  try {
    return ed.verify(signature, data, key, { zip215: false });
  } catch {
    return false;
  }
}
