// Reads the few things of a GLB that our own draws need: positions, feature ids and indices, as views into the file.

import { Cartesian3, Matrix4, Quaternion } from "@cesium/engine";

export interface Piece {
  /** Node's transform (translation and scale), column-major. */
  matrix: Matrix4;
  position: { view: Uint8Array; stride: number; type: number };
  feature: { view: Uint8Array; stride: number; type: number };
  index: Uint16Array | Uint32Array;
}

interface Gltf {
  accessors: { bufferView: number; byteOffset?: number; componentType: number; count: number }[];
  bufferViews: { byteOffset?: number; byteLength: number; byteStride?: number }[];
  nodes?: { mesh?: number; matrix?: number[]; translation?: number[]; rotation?: number[]; scale?: number[] }[];
  meshes: { primitives: { attributes: Record<string, number>; indices?: number }[] }[];
}

const size: Record<number, number> = { 5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4 };

/** The drawable pieces of one tile. Throws `RangeError` when it is no GLB. */
export function readGlb(bytes: ArrayBuffer): Piece[] {
  const view = new DataView(bytes);
  if (bytes.byteLength < 20 || view.getUint32(0, true) !== 0x46546c67) throw new RangeError("glb: not a GLB");
  const jsonLength = view.getUint32(12, true);
  const gltf = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, jsonLength))) as Gltf;
  const start = 20 + jsonLength + 8;
  const pieces: Piece[] = [];
  const bytesOf = (accessor: number, width: number) => {
    const a = gltf.accessors[accessor]!;
    const b = gltf.bufferViews[a.bufferView]!;
    const stride = b.byteStride ?? size[a.componentType]! * width;
    const from = start + (b.byteOffset ?? 0) + (a.byteOffset ?? 0);
    const length = Math.min(stride * a.count, b.byteLength - (a.byteOffset ?? 0));
    return { view: new Uint8Array(bytes, from, length), stride, type: a.componentType };
  };
  for (const node of gltf.nodes ?? []) {
    if (node.mesh === undefined) continue;
    const matrix = node.matrix
      ? Matrix4.fromArray(node.matrix)
      : Matrix4.fromTranslationQuaternionRotationScale(
          Cartesian3.fromArray(node.translation ?? [0, 0, 0]),
          Quaternion.unpack(node.rotation ?? [0, 0, 0, 1]),
          Cartesian3.fromArray(node.scale ?? [1, 1, 1]),
        );
    for (const primitive of gltf.meshes[node.mesh]!.primitives) {
      const { POSITION, _FEATURE_ID_0 } = primitive.attributes;
      if (POSITION === undefined || _FEATURE_ID_0 === undefined || primitive.indices === undefined) continue;
      const flat = bytesOf(primitive.indices, 1);
      const count = gltf.accessors[primitive.indices]!.count;
      const Maker = flat.type === 5125 ? Uint32Array : Uint16Array;
      pieces.push({
        matrix,
        position: bytesOf(POSITION, 3),
        feature: bytesOf(_FEATURE_ID_0, 1),
        index: new Maker(bytes, flat.view.byteOffset, count),
      });
    }
  }
  return pieces;
}
