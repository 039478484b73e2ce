// In the engine, but left out of its types.
import "@cesium/engine";

declare module "@cesium/engine" {
  export const PolygonPipeline: {
    triangulate(positions: import("@cesium/engine").Cartesian2[], holes?: number[]): number[];
  };
}
