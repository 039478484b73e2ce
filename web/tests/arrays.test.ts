import { describe, expect, it } from "vitest";
import { decodeArrays } from "../src/api/arrays";

function frame(header: object, buffers: Uint8Array): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((4 + text.length) / 8) * 8;
  const all = new Uint8Array(start + buffers.length);
  new DataView(all.buffer).setUint32(0, text.length, true);
  all.set(text, 4);
  all.set(buffers, start);
  return all.buffer;
}
const head = (name: string, dtype: string, shape: number[], offset: number) => ({ name, dtype, shape, offset, unit: "1" });

describe("the framing of arrays", () => {
  it("gives each buffer with its type and shape, whatever the header's length", () => {
    for (const pad of ["", "a", "ab", "가나다"]) {
      const bytes = new Uint8Array(24);
      bytes.set([1, 2, 255]);
      new DataView(bytes.buffer).setUint16(8, 470, true);
      new DataView(bytes.buffer).setFloat32(16, 1.5, true);
      const answer = decodeArrays(frame({ pad, buffers: [head("a", "u1", [1, 3], 0), head("b", "u2", [1], 8), head("c", "f4", [1], 16)] }, bytes));
      expect([...answer.arrays["a"]!]).toEqual([1, 2, 255]);
      expect([...answer.arrays["b"]!]).toEqual([470]);
      expect([...answer.arrays["c"]!]).toEqual([1.5]);
    }
  });
  it("reads an empty buffer", () => {
    expect(decodeArrays(frame({ buffers: [head("a", "f4", [0, 3], 0)] }, new Uint8Array())).arrays["a"]).toHaveLength(0);
  });
  it("refuses what is cut off, misaligned or unknown", () => {
    expect(() => decodeArrays(new ArrayBuffer(2))).toThrow(RangeError);
    expect(() => decodeArrays(frame({ buffers: [] }, new Uint8Array()).slice(0, 10))).toThrow(RangeError);
    expect(() => decodeArrays(frame({ buffers: [head("a", "u4", [9], 0)] }, new Uint8Array(8)))).toThrow(RangeError);
    expect(() => decodeArrays(frame({ buffers: [head("a", "u1", [1], 4)] }, new Uint8Array(8)))).toThrow(RangeError);
    expect(() => decodeArrays(frame({ buffers: [head("a", "c8", [1], 0)] }, new Uint8Array(8)))).toThrow(RangeError);
  });
});
