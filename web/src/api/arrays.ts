// application/vnd.twintown.arrays: u32 LE length, UTF-8 JSON header, zeros to 8 bytes, then the buffers, each on 8 bytes.

export interface BufferHead { name: string; dtype: string; shape: number[]; offset: number; unit?: string | null }
export type NumberArray = Uint8Array | Uint16Array | Uint32Array | Float32Array | Int32Array | Float64Array;
export interface Arrays {
  header: Record<string, unknown> & { buffers: BufferHead[] };
  arrays: Record<string, NumberArray>;
}

const makers: Record<string, { new (b: ArrayBuffer, o: number, n: number): NumberArray; BYTES_PER_ELEMENT: number }> = {
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  i4: Int32Array,
  f4: Float32Array,
  f8: Float64Array,
};

/** Reads one answer without copying its buffers. Throws `RangeError` on anything truncated or unknown. */
export function decodeArrays(bytes: ArrayBuffer): Arrays {
  if (bytes.byteLength < 4) throw new RangeError("arrays: shorter than its length field");
  const length = new DataView(bytes).getUint32(0, true);
  if (4 + length > bytes.byteLength) throw new RangeError("arrays: header is cut off");
  const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes, 4, length))) as Arrays["header"];
  const start = Math.ceil((4 + length) / 8) * 8;
  const arrays: Record<string, NumberArray> = {};
  for (const head of header.buffers) {
    const Maker = makers[head.dtype.replace(/^[<|]/, "")];
    if (!Maker) throw new RangeError(`arrays: unknown dtype ${head.dtype}`);
    const count = head.shape.reduce((a, b) => a * b, 1);
    const from = start + head.offset;
    if (from % 8 !== 0) throw new RangeError(`arrays: ${head.name} is not on 8 bytes`);
    if (from + count * Maker.BYTES_PER_ELEMENT > bytes.byteLength) throw new RangeError(`arrays: ${head.name} is cut off`);
    arrays[head.name] = new Maker(bytes, from, count);
  }
  return { header, arrays };
}
