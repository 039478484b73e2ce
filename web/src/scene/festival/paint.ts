import {
  BlendingState, Buffer, BufferUsage, Cartesian2, ComponentDatatype, DrawCommand, Pass, PolygonPipeline, PrimitiveType, RenderState, ShaderProgram, VertexArray, type Scene,
} from "@cesium/engine";
import { signedArea, type Ring } from "../../state/scenario-shape";
import type { FrameState } from "../engine";
import type { Place } from "../place";

// Areas on the ground as a breath of colour: one draw for all of them.

const VERTEX = `
in vec3 corner; in vec4 colour; out vec4 v_colour;
void main() { v_colour = colour; gl_Position = czm_modelViewProjection * vec4(corner, 1.0); }`;
const FRAGMENT = `in vec4 v_colour; void main() { out_FragColor = v_colour; }`;

export type Rgba = readonly [number, number, number, number];
export interface Area { ring: Ring; colour: Rgba }

export interface Paint {
  /** Paints exactly these; colours from 0 to 1. */
  set(areas: Area[]): void;
  update(frame: FrameState): void;
  isDestroyed(): boolean;
  destroy(): void;
}

export function createPaint(scene: Scene, place: Place, height_m: number): Paint {
  const { context } = scene;
  const program = ShaderProgram.fromCache({ context, vertexShaderSource: VERTEX, fragmentShaderSource: FRAGMENT, attributeLocations: { corner: 0, colour: 1 } });
  const renderState = RenderState.fromCache({ depthTest: { enabled: true }, depthMask: false, blending: BlendingState.ALPHA_BLEND, cull: { enabled: false } });
  let array: VertexArray | null = null;
  let command: DrawCommand | null = null;
  const clear = () => {
    array?.destroy();
    array = command = null;
  };
  return {
    set(areas) {
      clear();
      const anchor = areas.find((a) => a.ring.length > 2)?.ring[0];
      if (!anchor) return;
      const corners: number[] = [];
      const colours: number[] = [];
      for (const { ring, colour } of areas) {
        if (ring.length < 3) continue;
        const flat = (signedArea(ring) < 0 ? [...ring].reverse() : ring).map((p) => new Cartesian2(p[0] - anchor[0], p[1] - anchor[1]));
        for (const i of PolygonPipeline.triangulate(flat)) {
          corners.push(flat[i]!.x, flat[i]!.y, height_m);
          colours.push(...colour);
        }
      }
      if (!corners.length) return;
      const buffer = (typedArray: ArrayBufferView) => Buffer.createVertexBuffer({ context, typedArray, usage: BufferUsage.STATIC_DRAW });
      array = new VertexArray({
        context,
        attributes: [
          { index: 0, vertexBuffer: buffer(new Float32Array(corners)), componentsPerAttribute: 3, componentDatatype: ComponentDatatype.FLOAT },
          { index: 1, vertexBuffer: buffer(new Float32Array(colours)), componentsPerAttribute: 4, componentDatatype: ComponentDatatype.FLOAT },
        ],
      });
      command = new DrawCommand({
        vertexArray: array, count: corners.length / 3, shaderProgram: program, renderState, pass: Pass.OPAQUE, primitiveType: PrimitiveType.TRIANGLES,
        modelMatrix: place.local(...(anchor as [number, number])), cull: false, occlude: false, uniformMap: {},
      });
    },
    update(frame) {
      if (command && frame.passes.render) frame.commandList.push(command);
    },
    isDestroyed: () => false,
    destroy() {
      clear();
      program.destroy();
    },
  };
}
