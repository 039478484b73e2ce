import {
  Buffer, BufferUsage, Cartesian3, ComponentDatatype, DrawCommand, IndexDatatype, Matrix4, Pass, PixelFormat, PrimitiveType,
  RenderState, BlendingState, Sampler, ShaderProgram, Texture, TextureMagnificationFilter, TextureMinificationFilter, PixelDatatype,
  VertexArray, type Scene,
} from "@cesium/engine";
import type { FrameState } from "./engine";
import type { Place } from "./place";
import { CHANGE_HOURS, changeColour, sunColour, type Rgb } from "../state/ramp";
import type { Sunlight, SunData } from "../state/sunlight";

const VERTEX = `
in vec3 position; in vec2 st; out vec2 v_st;
void main() { v_st = st; gl_Position = czm_modelViewProjection * vec4(position, 1.0); }`;
// A cell is 255 where a building stands. Far away several cells share a pixel: four of them are averaged, buildings left out.
const FRAGMENT = `
in vec2 v_st; uniform sampler2D u_now; uniform sampler2D u_base; uniform sampler2D u_ramp;
uniform vec2 u_cells; uniform float u_steps; uniform float u_lost; uniform float u_scale; uniform float u_alpha;
vec2 sum(sampler2D t, vec2 st) { float v = texture(t, st).r * 255.0; return v > 254.5 ? vec2(0.0) : vec2(v, 1.0); }
float mean(sampler2D t, vec2 st, vec2 d) {
  vec2 s = sum(t, st + d * vec2(-0.25, -0.25)) + sum(t, st + d * vec2(0.25, -0.25)) + sum(t, st + d * vec2(-0.25, 0.25)) + sum(t, st + d * vec2(0.25, 0.25));
  return s.y > 0.0 ? s.x / s.y : -1.0;
}
void main() {
  vec2 d = fwidth(v_st); d = max(d - 1.0 / u_cells, vec2(0.0));
  float now = mean(u_now, v_st, d);
  if (now < 0.0) discard;
  if (u_lost > 0.5) {
    float was = mean(u_base, v_st, d);
    if (was < 0.0) was = 0.0;
    float change = (now - was) / u_scale;
    if (abs(now - was) < 0.5) { out_FragColor = vec4(0.97, 0.965, 0.95, 0.35); return; }
    out_FragColor = vec4(texture(u_ramp, vec2(0.5 + 0.5 * clamp(change, -1.0, 1.0), 0.75)).rgb, u_alpha);
  } else {
    out_FragColor = vec4(texture(u_ramp, vec2(clamp(now / u_steps, 0.0, 1.0), 0.25)).rgb, u_alpha);
  }
}`;
const PARTS = 12;

function rampTexture(context: unknown): Texture {
  const pixels = new Uint8Array(256 * 2 * 4);
  const put = (row: number, i: number, c: Rgb) => pixels.set([...c, 255], (row * 256 + i) * 4);
  for (let i = 0; i < 256; i++) {
    put(0, i, sunColour(i / 255));
    put(1, i, changeColour((i / 255) * 2 - 1));
  }
  return new Texture({
    context, pixelFormat: PixelFormat.RGBA, pixelDatatype: PixelDatatype.UNSIGNED_BYTE, flipY: false,
    source: { width: 256, height: 2, arrayBufferView: pixels },
    sampler: new Sampler({ minificationFilter: TextureMinificationFilter.LINEAR, magnificationFilter: TextureMagnificationFilter.LINEAR, wrapS: 33071, wrapT: 33071 }),
  });
}

export interface Overlay {
  show: "none" | "hours" | "lost";
  /** Takes over what changed in the answer. */
  take(sunlight: Sunlight): void;
  update(frame: FrameState): void;
  isDestroyed(): boolean;
  destroy(): void;
}

/** Sun hours of the ground: the grid as a texture on quads whose corners are projected one by one. */
export function createOverlay(scene: Scene, place: Place): Overlay {
  const { context } = scene;
  let of: SunData | null = null;
  let command: DrawCommand | null = null;
  let now: Texture | null = null;
  let base: Texture | null = null;
  let vertexArray: VertexArray | null = null;
  let cells = { x: 1, y: 1 };
  let steps = 69;
  let stepMinutes = 7;
  const ramp = rampTexture(context);
  const program = ShaderProgram.fromCache({ context, vertexShaderSource: VERTEX, fragmentShaderSource: FRAGMENT, attributeLocations: { position: 0, st: 1 } });
  const renderState = RenderState.fromCache({ depthTest: { enabled: false }, depthMask: false, blending: BlendingState.ALPHA_BLEND, cull: { enabled: false } });

  const clear = () => {
    now?.destroy();
    base?.destroy();
    vertexArray?.destroy();
    now = base = vertexArray = command = null;
  };
  const plain = (values: Uint8Array, cols: number, rows: number) =>
    new Texture({
      context, pixelFormat: PixelFormat.RED, pixelDatatype: PixelDatatype.UNSIGNED_BYTE, flipY: false,
      source: { width: cols, height: rows, arrayBufferView: values },
      sampler: new Sampler({ minificationFilter: TextureMinificationFilter.NEAREST, magnificationFilter: TextureMagnificationFilter.NEAREST, wrapS: 33071, wrapT: 33071 }),
    });

  const build = (data: SunData) => {
    clear();
    const { rows, cols, cell_m, origin_x, origin_y } = data.grid;
    cells = { x: cols, y: rows };
    now = plain(data.steps, cols, rows);
    base = plain(data.base, cols, rows);
    const matrix = place.enu;
    const position = new Float32Array((PARTS + 1) ** 2 * 3);
    const st = new Float32Array((PARTS + 1) ** 2 * 2);
    const index = new Uint16Array(PARTS * PARTS * 6);
    let k = 0;
    for (let i = 0; i <= PARTS; i++)
      for (let j = 0; j <= PARTS; j++, k++) {
        const u = j / PARTS;
        const v = i / PARTS;
        const p = Matrix4.multiplyByPoint(place.fromEnu, place.at(origin_x + u * cols * cell_m, origin_y - v * rows * cell_m, 0), new Cartesian3());
        position.set([p.x, p.y, p.z], k * 3);
        st.set([u, v], k * 2);
      }
    k = 0;
    for (let i = 0; i < PARTS; i++)
      for (let j = 0; j < PARTS; j++) {
        const a = i * (PARTS + 1) + j;
        const b = a + PARTS + 1;
        index.set([a, b, a + 1, a + 1, b, b + 1], k);
        k += 6;
      }
    const usage = BufferUsage.STATIC_DRAW;
    vertexArray = new VertexArray({
      context,
      attributes: [
        { index: 0, vertexBuffer: Buffer.createVertexBuffer({ context, typedArray: position, usage }), componentsPerAttribute: 3, componentDatatype: ComponentDatatype.FLOAT },
        { index: 1, vertexBuffer: Buffer.createVertexBuffer({ context, typedArray: st, usage }), componentsPerAttribute: 2, componentDatatype: ComponentDatatype.FLOAT },
      ],
      indexBuffer: Buffer.createIndexBuffer({ context, typedArray: index, usage, indexDatatype: IndexDatatype.UNSIGNED_SHORT }),
    });
    command = new DrawCommand({
      vertexArray, shaderProgram: program, renderState, modelMatrix: matrix, pass: Pass.TERRAIN_CLASSIFICATION,
      primitiveType: PrimitiveType.TRIANGLES, count: index.length, cull: false, occlude: false,
      uniformMap: {
        u_now: () => now,
        u_base: () => base,
        u_ramp: () => ramp,
        u_cells: () => cells,
        u_steps: () => steps,
        u_lost: () => (overlay.show === "lost" ? 1 : 0),
        u_scale: () => (CHANGE_HOURS * 60) / stepMinutes,
        u_alpha: () => 0.86,
      },
    });
    of = data;
  };

  const overlay: Overlay = {
    show: "none",
    take(sunlight) {
      const data = sunlight.data;
      steps = sunlight.now.steps;
      stepMinutes = sunlight.now.stepMinutes;
      if (!data) return;
      if (data !== of) {
        build(data);
        return;
      }
      const cols = data.grid.cols;
      for (const [row, col, height, width] of data.touched) {
        if (!height || !width) continue;
        const patch = new Uint8Array(width * height);
        for (let r = 0; r < height; r++) patch.set(data.steps.subarray((row + r) * cols + col, (row + r) * cols + col + width), r * width);
        now?.copyFrom({ xOffset: col, yOffset: row, source: { width, height, arrayBufferView: patch } });
      }
    },
    update(frame) {
      if (frame.passes.render && overlay.show !== "none" && command) frame.commandList.push(command);
    },
    isDestroyed: () => false,
    destroy() {
      clear();
      ramp.destroy();
      program.destroy();
    },
  };
  return overlay;
}
