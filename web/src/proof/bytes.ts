// Bytes, and the two hashes that certificates need. A page from an address without https has no WebCrypto: then they are computed here
// (FIPS 180-4), so that a bag can be checked on a village's own network too.
export type Bytes = Uint8Array<ArrayBuffer>;
const encoder = new TextEncoder();
export const utf8 = (text: string): Bytes => encoder.encode(text) as Bytes;
export const joined = (...all: Uint8Array[]): Bytes => {
  const out = new Uint8Array(all.reduce((n, one) => n + one.length, 0));
  let at = 0;
  for (const one of all) {
    out.set(one, at);
    at += one.length;
  }
  return out;
};
export const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((v, i) => v === b[i]);
export const hex = (data: Uint8Array): string => Array.from(data, (v) => v.toString(16).padStart(2, "0")).join("");
const bytesOf = (text: string): Bytes => Uint8Array.from(text, (c) => c.charCodeAt(0));
/** Base64 with its padding. Throws where it is none. */
export const base64 = (text: string): Bytes => bytesOf(atob(text));

/** Base64url without padding, in its one way of writing. Throws `RangeError`. */
export function base64url(text: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new RangeError("not base64url");
  try {
    const data = base64(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((4 - (text.length % 4)) % 4));
    let back = "";
    for (const byte of data) back += String.fromCharCode(byte);
    if (btoa(back).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") !== text) throw new RangeError("another way to write the same");
    return data;
  } catch {
    throw new RangeError("not base64url");
  }
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** Multibase base58btc ("z…"). Throws `RangeError`. */
export function base58(text: string): Bytes {
  if (!text.startsWith("z") || text.length > 200) throw new RangeError("not base58btc");
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
/** The 32 bytes of an Ed25519 key written as a Multikey ("z6Mk…"). Throws `RangeError`. */
export function keyOf(multikey: string): Bytes {
  const bytes = base58(multikey);
  if (bytes.length !== 34 || bytes[0] !== 0xed || bytes[1] !== 1) throw new RangeError("not an Ed25519 Multikey");
  return bytes.slice(2);
}

/** The first `count` primes' cube and square roots: the constants of SHA-2, from what they are. */
function constants(bits: 32n | 64n, count: number): { k: bigint[]; h: bigint[] } {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < count; n++) if (primes.every((p) => n % p !== 0n)) primes.push(n);
  const root = (value: bigint, power: bigint): bigint => {
    let low = 0n;
    let high = 1n << (bits + 8n);
    while (low < high) {
      const middle = (low + high + 1n) >> 1n;
      if (middle ** power <= value) low = middle;
      else high = middle - 1n;
    }
    return low & ((1n << bits) - 1n);
  };
  return { k: primes.map((p) => root(p << (3n * bits), 3n)), h: primes.slice(0, 8).map((p) => root(p << (2n * bits), 2n)) };
}
const KNOWN = new Map<bigint, { k: bigint[]; h: bigint[] }>();

/** SHA-256 (32-bit words) or SHA-512 (64-bit words) by the letter of FIPS 180-4; slow, and right. */
function sha2(data: Uint8Array, bits: 32n | 64n): Bytes {
  const wide = bits === 64n;
  const rounds = wide ? 80 : 64;
  if (!KNOWN.has(bits)) KNOWN.set(bits, constants(bits, rounds));
  const { k, h: first } = KNOWN.get(bits)!;
  const mask = (1n << bits) - 1n;
  const [size, word, tail] = wide ? [128, 8, 16] : [64, 4, 8];
  const turned = (x: bigint, n: number): bigint => ((x >> BigInt(n)) | (x << (bits - BigInt(n)))) & mask;
  const [s0, s1, S0, S1] = wide ? [[1, 8, 7], [19, 61, 6], [28, 34, 39], [14, 18, 41]] : [[7, 18, 3], [17, 19, 10], [2, 13, 22], [6, 11, 25]];
  const small = (x: bigint, [a, b, c]: number[]) => turned(x, a!) ^ turned(x, b!) ^ (x >> BigInt(c!));
  const large = (x: bigint, [a, b, c]: number[]) => turned(x, a!) ^ turned(x, b!) ^ turned(x, c!);
  const zeros = (size! - ((data.length + 1 + tail!) % size!)) % size!;
  const padded = joined(data, Uint8Array.of(128), new Uint8Array(zeros + tail!));
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(data.length) * 8n);
  const state = [...first];
  const view = new DataView(padded.buffer);
  const w: bigint[] = Array.from({ length: rounds }, () => 0n);
  for (let block = 0; block < padded.length; block += size!) {
    for (let t = 0; t < 16; t++) w[t] = wide ? view.getBigUint64(block + t * word!) : BigInt(view.getUint32(block + t * word!));
    for (let t = 16; t < rounds; t++) w[t] = (small(w[t - 2]!, s1!) + w[t - 7]! + small(w[t - 15]!, s0!) + w[t - 16]!) & mask;
    let [a, b, c, d, e, f, g, h] = state as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
    for (let t = 0; t < rounds; t++) {
      const one = (h + large(e, S1!) + ((e & f) ^ (~e & mask & g)) + k[t]! + w[t]!) & mask;
      const two = (large(a, S0!) + ((a & b) ^ (a & c) ^ (b & c))) & mask;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) & mask, c, b, a, (one + two) & mask];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] = (state[i]! + value) & mask));
  }
  const out = new Uint8Array(8 * word!);
  const put = new DataView(out.buffer);
  state.forEach((value, i) => (wide ? put.setBigUint64(i * 8, value) : put.setUint32(i * 4, Number(value))));
  return out;
}
export const plainSha256 = (data: Uint8Array): Bytes => sha2(data, 32n);
export const plainSha512 = (data: Uint8Array): Bytes => sha2(data, 64n);

/** SHA-256, by the browser where it does it. */
export async function sha256(data: Bytes): Promise<Bytes> {
  const subtle = globalThis.crypto?.subtle;
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : plainSha256(data);
}
