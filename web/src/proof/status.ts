// Whether a certificate was revoked: a bit of the city's signed list (W3C Bitstring Status List 1.0).
import { base64url, type Bytes } from "./bytes";
import type { Body, Credential } from "./credential";

const LEAST = 131_072 / 8;
const MOST = 1 << 20;

/** The list and the place that a certificate names. Throws `RangeError`. */
export function placeOf(body: Body): { url: string; place: number } {
  const said = body.credentialStatus;
  if (said?.type !== "BitstringStatusListEntry" || said.statusPurpose !== "revocation" || typeof said.statusListCredential !== "string" || typeof said.statusListIndex !== "string" || !/^\d{1,9}$/.test(said.statusListIndex)) throw new RangeError("no place in a list");
  return { url: said.statusListCredential, place: Number(said.statusListIndex) };
}

/** The bits of a list that was read. Throws `RangeError`: it is another one, or none. */
export async function bitsOf(one: Credential, url: string): Promise<Bytes> {
  const said = one.body.credentialSubject;
  if (!one.body.type.includes("BitstringStatusListCredential") || one.body.id !== url || said?.type !== "BitstringStatusList" || said.statusPurpose !== "revocation") throw new RangeError("another list");
  if (typeof said.encodedList !== "string" || !said.encodedList.startsWith("u")) throw new RangeError("no bits");
  const packed = new Blob([base64url(said.encodedList.slice(1))]);
  const reader = packed.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    if (size > MOST) throw new RangeError("too long");
  }
  if (size < LEAST) throw new RangeError("too short");
  const bits = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bits.set(part, at);
    at += part.length;
  }
  return bits;
}

/** The bit at a place; the first is the highest of the first byte. Throws `RangeError`. */
export function isSet(bits: Uint8Array, place: number): boolean {
  if (place >= bits.length * 8) throw new RangeError("no such place");
  return ((bits[place >> 3]! >> (7 - (place & 7))) & 1) === 1;
}
