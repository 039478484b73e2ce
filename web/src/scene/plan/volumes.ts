import {
  Buffer, BufferUsage, Cartesian3, ComponentDatatype, DrawCommand, IndexDatatype, Matrix4, Pass, PrimitiveType, RenderState,
  ShaderProgram, VertexArray, BlendingState, Cartesian4, Color, type Scene,
} from "@cesium/engine";
import type { Solid } from "../../state/scenario-shape";
import { SHADE } from "../buildings";
import type { Stage } from "../city";
import type { FrameState } from "../engine";
import type { Findable } from "../pointer";
import { DARKNESS, shadeOnce, slideTo } from "../solids";
import { meshOf } from "./mesh";

// What a plan adds and changes is drawn from its own outlines: warm walls with a line at every storey and dark edges, as on an
// architect's model; its shadow falls with the others'.

const VERTEX = `
in vec4 corner; out vec3 v_positionEC; out float v_height;
void main() {
  vec4 ec = czm_modelView * vec4(corner.xyz, 1.0);
  v_positionEC = ec.xyz; v_height = corner.w;
  gl_Position = czm_projection * ec;
}`;
const WALL = `in vec3 v_positionEC; in float v_height;
uniform vec3 u_up; uniform vec3 u_tint; uniform float u_storey; uniform float u_clear; uniform vec4 u_pick; ${SHADE}
void main() {
  vec3 n = normalize(cross(dFdx(v_positionEC), dFdy(v_positionEC)));
  vec3 up = czm_viewRotation * u_up;
  vec3 c = shadeWall(n, up, czm_lightDirectionEC, v_height, vec3(0.985, 0.965, 0.93));
  float wide = fwidth(v_height);
  float near = abs(fract(v_height / u_storey + 0.5) - 0.5) * u_storey;
  float line = (1.0 - smoothstep(0.06, 0.06 + max(wide, 0.02), near)) * (1.0 - smoothstep(0.35, 0.9, wide / u_storey)) * step(abs(dot(n, up)), 0.5) * step(0.3, v_height);
  c = min(c * u_tint, vec3(1.0)) * (1.0 - 0.17 * line);
  out_FragColor = vec4(c, u_clear);
}`;
const LINE_VERTEX = `
in vec3 corner;
void main() {
  vec4 ec = czm_modelView * vec4(corner, 1.0);
  // A breath nearer than the wall that it lies on.
  ec.xyz *= 0.9988;
  gl_Position = czm_projection * ec;
}`;
const SLID = `in vec4 corner; void main() { gl_Position = czm_modelViewProjection * vec4(corner.xyz, 1.0); }`;
const PLAIN = `uniform vec4 u_colour; void main() { out_FragColor = u_colour; }`;

export type Look = "planned" | "chosen" | "other" | "trouble" | "theirs";
const TINTS: Record<Look, [number, number, number]> = {
  planned: [1.14, 1.03, 0.85], chosen: [1.16, 1.0, 0.74], other: [0.9, 1.03, 1.18], trouble: [1.2, 0.8, 0.68], theirs: [0.95, 0.84, 1.14],
};

interface Drawn {
  solid: Solid;
  look: Look;
  arrays: VertexArray[];
  wall: DrawCommand;
  lines: DrawCommand;
  shadow: DrawCommand;
  model: Matrix4;
  pick: { color: Color; destroy(): void };
  tint: Cartesian3;
}

export interface Volumes {
  /** Draws exactly these buildings. */
  set(solids: Iterable<Solid>, look: (id: string) => Look): void;
  update(frame: FrameState): void;
  isDestroyed(): boolean;
  destroy(): void;
}

export function createVolumes(scene: Scene, stage: Stage): Volumes {
  const { context } = scene;
  const { place } = stage;
  const drawn = new Map<string, Drawn>();
  const walls = ShaderProgram.fromCache({ context, vertexShaderSource: VERTEX, fragmentShaderSource: WALL, attributeLocations: { corner: 0 } });
  const edges = ShaderProgram.fromCache({ context, vertexShaderSource: LINE_VERTEX, fragmentShaderSource: PLAIN, attributeLocations: { corner: 0 } });
  const slid = ShaderProgram.fromCache({ context, vertexShaderSource: SLID, fragmentShaderSource: PLAIN, attributeLocations: { corner: 0 } });
  const wallState = RenderState.fromCache({ depthTest: { enabled: true }, depthMask: true, cull: { enabled: true } });
  const lineState = RenderState.fromCache({ depthTest: { enabled: true }, depthMask: false, blending: BlendingState.ALPHA_BLEND });
  const shadowState = shadeOnce();
  const ink = new Cartesian4(0.16, 0.13, 0.08, 0.62);

  const drop = (id: string) => {
    const d = drawn.get(id);
    if (!d) return;
    for (const array of d.arrays) array.destroy();
    d.pick.destroy();
    drawn.delete(id);
  };
  const make = (solid: Solid, look: Look): Drawn => {
    const mesh = meshOf(solid);
    const usage = BufferUsage.STATIC_DRAW;
    const buffer = (typedArray: ArrayBufferView) => Buffer.createVertexBuffer({ context, typedArray, usage });
    const walled = new VertexArray({
      context,
      attributes: [{ index: 0, vertexBuffer: buffer(mesh.corners), componentsPerAttribute: 4, componentDatatype: ComponentDatatype.FLOAT }],
      indexBuffer: Buffer.createIndexBuffer({ context, typedArray: mesh.triangles, usage, indexDatatype: IndexDatatype.UNSIGNED_SHORT }),
    });
    const lined = new VertexArray({
      context,
      attributes: [{ index: 0, vertexBuffer: buffer(mesh.lines), componentsPerAttribute: 3, componentDatatype: ComponentDatatype.FLOAT }],
    });
    const model = place.local(...(mesh.anchor as [number, number]));
    const pick = context.createPickId({ building: solid.id } satisfies Findable);
    const tint = Cartesian3.fromArray(TINTS[look]);
    const pickColour = Cartesian4.fromColor(pick.color);
    const storey = Math.max(1, solid.storey_m);
    const plain = { cull: false, occlude: false };
    return {
      solid, look, model, pick, tint,
      arrays: [walled, lined],
      wall: new DrawCommand({
        ...plain, vertexArray: walled, count: mesh.triangles.length, shaderProgram: walls, renderState: wallState, pass: Pass.OPAQUE,
        primitiveType: PrimitiveType.TRIANGLES, modelMatrix: model, pickId: "u_pick",
        uniformMap: { u_up: () => place.up, u_tint: () => tint, u_storey: () => storey, u_clear: () => 1, u_pick: () => pickColour },
      }),
      lines: new DrawCommand({
        ...plain, vertexArray: lined, count: mesh.lines.length / 3, shaderProgram: edges, renderState: lineState, pass: Pass.OPAQUE,
        primitiveType: PrimitiveType.LINES, modelMatrix: model, uniformMap: { u_colour: () => ink },
      }),
      shadow: new DrawCommand({
        ...plain, vertexArray: walled, count: mesh.triangles.length, shaderProgram: slid, renderState: shadowState, pass: Pass.TERRAIN_CLASSIFICATION,
        primitiveType: PrimitiveType.TRIANGLES, modelMatrix: new Matrix4(), uniformMap: { u_colour: () => DARKNESS },
      }),
    };
  };

  return {
    set(solids, look) {
      const seen = new Set<string>();
      for (const solid of solids) {
        if (!solid.parts.length) continue;
        seen.add(solid.id);
        const wanted = look(solid.id);
        const had = drawn.get(solid.id);
        if (had?.solid === solid) {
          if (had.look !== wanted) {
            had.look = wanted;
            Cartesian3.fromArray(TINTS[wanted], 0, had.tint);
          }
          continue;
        }
        drop(solid.id);
        drawn.set(solid.id, make(solid, wanted));
      }
      for (const id of [...drawn.keys()]) if (!seen.has(id)) drop(id);
    },
    update(frame) {
      if (frame.passes.pick) {
        for (const d of drawn.values()) frame.commandList.push(d.wall);
        return;
      }
      if (!frame.passes.render) return;
      const sun = stage.sun();
      const slide = sun && slideTo(place, sun);
      for (const d of drawn.values()) {
        frame.commandList.push(d.wall, d.lines);
        if (!slide) continue;
        d.shadow.modelMatrix = Matrix4.multiply(slide, d.model, d.shadow.modelMatrix);
        frame.commandList.push(d.shadow);
      }
    },
    isDestroyed: () => false,
    destroy() {
      for (const id of [...drawn.keys()]) drop(id);
      for (const program of [walls, edges, slid]) program.destroy();
    },
  };
}
