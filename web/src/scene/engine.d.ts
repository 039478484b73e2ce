// The renderer's parts that the engine exports without publishing their types; only what this page uses.
import "@cesium/engine";

declare module "@cesium/engine" {
  export class Buffer {
    static createVertexBuffer(o: { context: unknown; typedArray?: ArrayBufferView; sizeInBytes?: number; usage: number }): Buffer;
    static createIndexBuffer(o: { context: unknown; typedArray: ArrayBufferView; usage: number; indexDatatype: number }): Buffer;
    copyFromArrayView(view: ArrayBufferView, offsetInBytes?: number): void;
    destroy(): void;
  }
  export const BufferUsage: { STATIC_DRAW: number; DYNAMIC_DRAW: number; STREAM_DRAW: number };
  export class VertexArray {
    constructor(o: { context: unknown; attributes: object[]; indexBuffer?: Buffer });
    destroy(): void;
  }
  export class ShaderProgram {
    static fromCache(o: { context: unknown; vertexShaderSource: string; fragmentShaderSource: string; attributeLocations: Record<string, number> }): ShaderProgram;
    destroy(): void;
  }
  export class RenderState {
    static fromCache(o: object): RenderState;
  }
  export const Pass: { GLOBE: number; TERRAIN_CLASSIFICATION: number; CESIUM_3D_TILE: number; OPAQUE: number; TRANSLUCENT: number };
  export class DrawCommand {
    constructor(o: object);
    modelMatrix: Matrix4;
    vertexArray: VertexArray;
    count: number | undefined;
  }
  export class Texture {
    constructor(o: object);
    copyFrom(o: { source: object; xOffset?: number; yOffset?: number }): void;
    destroy(): void;
  }
  export const PolygonPipeline: { triangulate(positions: Cartesian2[], holes?: number[]): number[] };
  export const ApproximateTerrainHeights: { initialize(): Promise<void> };
  export class Sampler {
    constructor(o: object);
  }
  interface Scene {
    readonly context: {
      readonly maximumTextureSize: number;
      createPickId(object: object): { color: Color; destroy(): void };
    };
  }
}

/** What a primitive of ours is given each frame. */
export interface FrameState {
  commandList: unknown[];
  passes: { render: boolean; pick: boolean };
  context: unknown;
}
