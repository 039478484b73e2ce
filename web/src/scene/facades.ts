import {
  Buffer, BufferUsage, ComponentDatatype, DrawCommand, Pass, PrimitiveType, RenderState, ShaderProgram, VertexArray, type Scene,
} from "@cesium/engine";
import type { FrameState } from "./engine";
import type { Place } from "./place";
import { FACADE_CLASSES, FACADE_COLOURS, facadeClass } from "../state/ramp";
import { PASSED, PASSES, type SunData, type Sunlight } from "../state/sunlight";

const VERTEX = `
in vec3 position; in float bearing; in float kind;
uniform vec3 u_colours[6]; uniform float u_pixels;
out vec3 v_colour;
void main() {
  vec3 out_ = vec3(sin(bearing), cos(bearing), 0.0);
  bool loose = bearing > 90.0;
  vec4 ec = czm_modelView * vec4(position + (loose ? vec3(0.0) : out_ * 0.4), 1.0);
  // Which way a new point looks is not told: it comes a breath nearer to the eye instead.
  if (loose) ec.xyz *= 0.9985;
  int k = int(kind + 0.5);
  v_colour = u_colours[min(k, 5)];
  gl_Position = czm_projection * ec;
  // About 1.6 m across, and never finer than the eye sees.
  float size = 1.6 * u_pixels / max(-ec.z, 1.0);
  gl_PointSize = clamp(size, k == 2 || k == 3 ? 2.4 : 1.3, 16.0);
  if (k > 5 || (k == 5 && size < 2.2)) gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
}`;
const FRAGMENT = `
in vec3 v_colour;
void main() {
  vec2 d = gl_PointCoord - 0.5;
  if (dot(d, d) > 0.25) discard;
  out_FragColor = vec4(v_colour, 1.0);
}`;

interface Cloud { vertexArray: VertexArray; kinds: Buffer; command: DrawCommand; classes: Uint8Array }

export interface Facades {
  on: boolean;
  take(sunlight: Sunlight): void;
  update(frame: FrameState): void;
  isDestroyed(): boolean;
  destroy(): void;
}

/** Facade points as one cloud; a verdict that changes is one byte of one buffer. */
export function createFacades(scene: Scene, place: Place): Facades {
  const { context } = scene;
  let of: SunData | null = null;
  let cloud: Cloud | null = null;
  let extra: Cloud | null = null;
  const colours = FACADE_CLASSES.map((name) => {
    const [r, g, b] = FACADE_COLOURS[name];
    return { x: r / 255, y: g / 255, z: b / 255 };
  });
  const program = ShaderProgram.fromCache({
    context, vertexShaderSource: VERTEX, fragmentShaderSource: FRAGMENT, attributeLocations: { position: 0, bearing: 1, kind: 2 },
  });
  const renderState = RenderState.fromCache({ depthTest: { enabled: true }, depthMask: true });

  const classify = (states: Uint8Array, into: Uint8Array) => {
    for (let i = 0; i < states.length; i++) {
      const c = facadeClass(states[i]!);
      into[i] = c < 0 ? 6 : c;
    }
  };
  const make = (data: SunData, xyz: Float32Array, normal: Float32Array | null, states: Uint8Array): Cloud => {
    const n = xyz.length / 3;
    const classes = new Uint8Array(n);
    classify(states.subarray(0, n), classes);
    const bearing = new Float32Array(n);
    if (normal) for (let i = 0; i < n; i++) bearing[i] = (normal[i]! * Math.PI) / 180;
    else bearing.fill(100);
    const buffer = (typedArray: ArrayBufferView, usage: number) => Buffer.createVertexBuffer({ context, typedArray, usage });
    const kinds = buffer(classes, BufferUsage.DYNAMIC_DRAW);
    const vertexArray = new VertexArray({
      context,
      attributes: [
        { index: 0, vertexBuffer: buffer(xyz, BufferUsage.STATIC_DRAW), componentsPerAttribute: 3, componentDatatype: ComponentDatatype.FLOAT },
        { index: 1, vertexBuffer: buffer(bearing, BufferUsage.STATIC_DRAW), componentsPerAttribute: 1, componentDatatype: ComponentDatatype.FLOAT },
        { index: 2, vertexBuffer: kinds, componentsPerAttribute: 1, componentDatatype: ComponentDatatype.UNSIGNED_BYTE, normalize: false },
      ],
    });
    const command = new DrawCommand({
      vertexArray, shaderProgram: program, renderState, pass: Pass.OPAQUE, primitiveType: PrimitiveType.POINTS, count: n,
      modelMatrix: place.local(data.origin.x, data.origin.y), cull: false, occlude: false,
      uniformMap: {
        u_colours: () => colours,
        u_pixels: () => {
          const { camera, drawingBufferHeight } = scene;
          const fovy = (camera.frustum as { fovy?: number }).fovy ?? 1;
          return drawingBufferHeight / (2 * Math.tan(fovy / 2));
        },
      },
    });
    return { vertexArray, kinds, command, classes };
  };

  return {
    on: false,
    take(sunlight) {
      const data = sunlight.data;
      if (!data?.xyz.length) return;
      if (data !== of || !cloud) {
        cloud?.vertexArray.destroy();
        cloud = make(data, data.xyz, data.normal, data.state);
        of = data;
      } else {
        classify(data.state, cloud.classes);
        cloud.kinds.copyFromArrayView(cloud.classes);
      }
      extra?.vertexArray.destroy();
      // A point that was not there before has lost and won nothing: it passes or fails.
      extra = data.extraXyz.length ? make(data, data.extraXyz, null, data.extraState.map((s) => (s & PASSES ? s | PASSED : s))) : null;
    },
    update(frame) {
      if (!this.on || !frame.passes.render) return;
      if (cloud) frame.commandList.push(cloud.command);
      if (extra) frame.commandList.push(extra.command);
    },
    isDestroyed: () => false,
    destroy() {
      cloud?.vertexArray.destroy();
      extra?.vertexArray.destroy();
      program.destroy();
    },
  };
}
