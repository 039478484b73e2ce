import {
  BlendingState, Buffer, BufferUsage, Cartesian3, Cartesian4, Color, ComponentDatatype, DrawCommand, IndexDatatype, Matrix4, Pass,
  PrimitiveType, RenderState, ShaderProgram, VertexArray, type Scene,
} from "@cesium/engine";
import type { FrameState } from "./engine";
import { SHADE, type Buildings, type LoadedTile } from "./buildings";
import type { Piece } from "./glb";
import type { Place } from "./place";

// Shadows on flat ground are exact: every triangle is drawn once more, slid along the sun's direction on to the plane.
// No shadow map has that edge at a kilometre. The stencil lets each place darken once. The building in the hand is drawn from
// the same triangles, stretched.

const VERTEX = `
in vec3 position; in float featureId;
uniform float u_only; uniform float u_but;
#ifdef WALL
out vec3 v_positionEC;
#endif
void main() {
  bool gone = (u_only >= 0.0 && abs(featureId - u_only) > 0.5) || abs(featureId - u_but) < 0.5;
  vec4 p = czm_modelViewProjection * vec4(position, 1.0);
#ifdef WALL
  v_positionEC = (czm_modelView * vec4(position, 1.0)).xyz;
#endif
  gl_Position = gone ? vec4(0.0, 0.0, 2.0, 1.0) : p;
}`;
const DARK = `uniform vec4 u_colour; void main() { out_FragColor = u_colour; }`;
const WALL = `in vec3 v_positionEC; uniform vec3 u_up; uniform vec3 u_origin; ${SHADE}
void main() {
  vec3 n = normalize(cross(dFdx(v_positionEC), dFdy(v_positionEC)));
  vec3 up = czm_viewRotation * u_up;
  float h = dot(v_positionEC - u_origin, up);
  vec3 c = shadeWall(n, up, czm_lightDirectionEC, h, vec3(0.965, 0.955, 0.935));
  out_FragColor = vec4(c * vec3(1.0, 0.80, 0.49), 1.0);
}`;
const LOCATIONS = { position: 0, featureId: 1 };
/** glTF's y up to the tile's z up. */
const Z_UP = Matrix4.fromArray([1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1]);

const ONCE = { fail: 0x1e00, zFail: 0x1e00, zPass: 0x1e01 }; // keep, keep, replace
const dark = Color.fromCssColorString("#26364a").withAlpha(0.36);
/** What a shadow lays over the ground. */
export const DARKNESS = new Cartesian4(dark.red, dark.green, dark.blue, dark.alpha);

/** Each place darkens once, whoever casts the shadow. */
export const shadeOnce = (): RenderState =>
  RenderState.fromCache({
    depthTest: { enabled: false },
    depthMask: false,
    blending: BlendingState.ALPHA_BLEND,
    cull: { enabled: false },
    stencilTest: {
      enabled: true, frontFunction: 0x0205, backFunction: 0x0205, reference: 1, mask: 1, frontOperation: ONCE, backOperation: ONCE,
    },
    stencilMask: 1,
  });

/** Slides everything along the sun on to the ground: x' = x − z·Lx/Lz, y' = y − z·Ly/Lz, z' ≈ 0. */
export function slideTo(place: Place, sun: Cartesian3): Matrix4 {
  const s = new Matrix4(1, 0, -sun.x / sun.z, 0, 0, 1, -sun.y / sun.z, 0, 0, 0, 0.0001, 0, 0, 0, 0, 1);
  return Matrix4.multiply(Matrix4.multiply(place.enu, s, new Matrix4()), place.fromEnu, new Matrix4());
}

interface Drawn {
  vertexArray: VertexArray;
  buffers: Buffer[];
  count: number;
  /** Node and axes: piece to the tile's local east, north, up. */
  toLocal: Matrix4;
  tile: LoadedTile;
  shadow: DrawCommand;
  only: { value: number };
  but: { value: number };
}

export interface Solids {
  /** Sun as a unit vector in east, north, up at the middle of the twin; null at night. */
  sun: Cartesian3 | null;
  shadowsOn: boolean;
  /** The building in the hand and how much it is stretched. */
  held: { id: string; stretch: number } | null;
  /** Buildings that a plan has otherwise: their shadows go with them. */
  without(ids: ReadonlySet<string>): void;
  /** Whose shadow is drawn through the other buildings as well, so that it can be followed to its tip. */
  traced: string | null;
  update(frame: FrameState): void;
  isDestroyed(): boolean;
  destroy(): void;
}

export function createSolids(scene: Scene, place: Place, buildings: Buildings): Solids {
  const { context } = scene;
  const drawn = new Map<object, Drawn[]>();
  const darkUniform = DARKNESS;
  const trace = Color.fromCssColorString("#1f3f66").withAlpha(0.2);
  const traceUniform = new Cartesian4(trace.red, trace.green, trace.blue, trace.alpha);
  const shadowProgram = ShaderProgram.fromCache({ context, vertexShaderSource: VERTEX, fragmentShaderSource: DARK, attributeLocations: LOCATIONS });
  const wallProgram = ShaderProgram.fromCache({
    context, vertexShaderSource: `#define WALL\n${VERTEX}`, fragmentShaderSource: WALL, attributeLocations: LOCATIONS,
  });
  const shadowState = shadeOnce();
  const once = ONCE;
  // A second stencil bit: the traced shadow tints each place once, over whatever stands on it.
  const traceState = RenderState.fromCache({
    depthTest: { enabled: false },
    depthMask: false,
    blending: BlendingState.ALPHA_BLEND,
    cull: { enabled: false },
    stencilTest: {
      enabled: true, frontFunction: 0x0205, backFunction: 0x0205, reference: 2, mask: 2, frontOperation: once, backOperation: once,
    },
    stencilMask: 2,
  });
  const wallState = RenderState.fromCache({ depthTest: { enabled: true }, depthMask: true, cull: { enabled: true } });

  const remove = (key: object) => {
    for (const d of drawn.get(key) ?? []) d.vertexArray.destroy();
    drawn.delete(key);
  };
  let gone: ReadonlySet<string> = new Set();
  /** The triangles of a piece without the buildings that are gone. */
  const standing = (tile: LoadedTile, piece: Piece): Uint16Array | Uint32Array => {
    const out = new Set<number>();
    for (const id of gone) {
      const feature = tile.ids.get(id);
      if (feature !== undefined) out.add(feature);
    }
    if (!out.size) return piece.index;
    const { view, stride, type } = piece.feature;
    const data = new DataView(view.buffer, view.byteOffset, view.byteLength);
    const feature = (vertex: number) =>
      type === 5126 ? Math.round(data.getFloat32(vertex * stride, true)) : type === 5123 ? data.getUint16(vertex * stride, true) : data.getUint8(vertex * stride);
    const kept = piece.index.slice();
    let n = 0;
    for (let i = 0; i < piece.index.length; i += 3) {
      if (out.has(feature(piece.index[i]!))) continue;
      kept.set(piece.index.subarray(i, i + 3), n);
      n += 3;
    }
    return kept.subarray(0, n);
  };
  const indexOf = (index: Uint16Array | Uint32Array) =>
    Buffer.createIndexBuffer({
      // An empty buffer cannot be made; its count says that nothing is drawn.
      context, typedArray: index.length ? index : new Uint16Array(3), usage: BufferUsage.STATIC_DRAW,
      indexDatatype: index instanceof Uint32Array && index.length ? IndexDatatype.UNSIGNED_INT : IndexDatatype.UNSIGNED_SHORT,
    });
  const add = (tile: LoadedTile, key: object) => {
    remove(key);
    drawn.set(
      key,
      tile.pieces.map((piece) => {
        const usage = BufferUsage.STATIC_DRAW;
        const position = Buffer.createVertexBuffer({ context, typedArray: piece.position.view, usage });
        const feature = Buffer.createVertexBuffer({ context, typedArray: piece.feature.view, usage });
        const triangles = standing(tile, piece);
        const index = indexOf(triangles);
        const vertexArray = new VertexArray({
          context,
          attributes: [
            { index: 0, vertexBuffer: position, componentsPerAttribute: 3, componentDatatype: piece.position.type, strideInBytes: piece.position.stride },
            { index: 1, vertexBuffer: feature, componentsPerAttribute: 1, componentDatatype: piece.feature.type as ComponentDatatype, strideInBytes: piece.feature.stride },
          ],
          indexBuffer: index,
        });
        const only = { value: -1 };
        const but = { value: -1 };
        const toLocal = Matrix4.multiply(Z_UP, piece.matrix, new Matrix4());
        const shadow = command(vertexArray, triangles.length, shadowProgram, shadowState, Pass.TERRAIN_CLASSIFICATION, only, but);
        return { vertexArray, buffers: [position, feature, index], count: triangles.length, toLocal, tile, shadow, only, but };
      }),
    );
  };

  function command(
    vertexArray: VertexArray, count: number, shaderProgram: ShaderProgram, renderState: RenderState, pass: number,
    only: { value: number }, but: { value: number }, colour = darkUniform,
  ): DrawCommand {
    return new DrawCommand({
      vertexArray, count, shaderProgram, renderState, pass,
      primitiveType: PrimitiveType.TRIANGLES,
      modelMatrix: new Matrix4(),
      cull: false,
      occlude: false,
      uniformMap: {
        u_only: () => only.value,
        u_but: () => but.value,
        u_colour: () => colour,
        u_up: () => place.up,
        u_origin: () => originEC,
      },
    });
  }
  const originEC = new Cartesian3();

  buildings.onTiles.push((tile, key) => (tile ? add(tile, key) : remove(key)));
  for (const [key, tile] of buildings.tiles) add(tile, key);

  let heldDraws: { id: string; wall: DrawCommand; shadow: DrawCommand; of: Drawn }[] = [];
  let heldFor: string | null = null;
  let heldTiles = -1;
  let traceDraws: { draw: DrawCommand; of: Drawn }[] = [];
  let traceFor: string | null = null;
  let traceTiles = -1;

  const whole = (d: Drawn, stretch: number) => {
    const stretched = Matrix4.multiplyByScale(d.tile.transform, new Cartesian3(1, 1, stretch), new Matrix4());
    return Matrix4.multiply(stretched, d.toLocal, stretched);
  };

  const solids: Solids = {
    without(ids) {
      const before = gone;
      gone = new Set(ids);
      for (const [key, list] of [...drawn]) {
        const tile = list[0]?.tile;
        if (!tile || ![...before, ...gone].some((id) => tile.ids.has(id) && before.has(id) !== gone.has(id))) continue;
        add(tile, key);
        // Draws of the hand and the trace point at what was there before.
        heldTiles = traceTiles = -1;
      }
    },
    sun: null,
    shadowsOn: true,
    held: null,
    traced: null,
    update(frame) {
      if (!frame.passes.render) return;
      Matrix4.multiplyByPoint(scene.camera.viewMatrix, place.middle, originEC);
      const { held, sun } = solids;
      if ((held?.id ?? null) !== heldFor || heldTiles !== drawn.size) {
        heldFor = held?.id ?? null;
        heldTiles = drawn.size;
        heldDraws = [];
        const found = held ? buildings.find(held.id) : null;
        for (const [key, list] of drawn)
          for (const d of list) {
            d.but.value = found && found.key === key ? found.feature : -1;
            if (!found || found.key !== key) continue;
            const only = { value: found.feature };
            const but = { value: -1 };
            heldDraws.push({
              id: heldFor!,
              of: d,
              wall: command(d.vertexArray, d.count, wallProgram, wallState, Pass.OPAQUE, only, but),
              shadow: command(d.vertexArray, d.count, shadowProgram, shadowState, Pass.TERRAIN_CLASSIFICATION, only, but),
            });
          }
      }
      const standing = held && held.stretch > 1e-6;
      if (standing)
        for (const h of heldDraws) {
          h.wall.modelMatrix = whole(h.of, held.stretch);
          frame.commandList.push(h.wall);
        }
      if (!solids.shadowsOn || !sun || sun.z < 0.02) return;
      const slid = slideTo(place, sun);
      if (solids.traced !== traceFor || traceTiles !== drawn.size) {
        traceFor = solids.traced;
        traceTiles = drawn.size;
        traceDraws = [];
        const found = traceFor ? buildings.find(traceFor) : null;
        for (const d of (found && drawn.get(found.key)) ?? []) {
          const only = { value: found!.feature };
          traceDraws.push({ of: d, draw: command(d.vertexArray, d.count, shadowProgram, traceState, Pass.OPAQUE, only, { value: -1 }, traceUniform) });
        }
      }
      const traceStretch = held && held.id === traceFor ? held.stretch : 1;
      if (traceStretch > 1e-6)
        for (const t of traceDraws) {
          t.draw.modelMatrix = Matrix4.multiply(slid, whole(t.of, traceStretch), t.draw.modelMatrix);
          frame.commandList.push(t.draw);
        }
      for (const list of drawn.values())
        for (const d of list) {
          d.shadow.modelMatrix = Matrix4.multiply(slid, whole(d, 1), d.shadow.modelMatrix);
          frame.commandList.push(d.shadow);
        }
      if (standing)
        for (const h of heldDraws) {
          h.shadow.modelMatrix = Matrix4.multiply(slid, h.wall.modelMatrix, h.shadow.modelMatrix);
          frame.commandList.push(h.shadow);
        }
    },
    isDestroyed: () => false,
    destroy() {
      for (const key of [...drawn.keys()]) remove(key);
      shadowProgram.destroy();
      wallProgram.destroy();
    },
  };
  return solids;
}
