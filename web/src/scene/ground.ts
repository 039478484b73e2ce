import {
  HeightmapTerrainData, WebMercatorTilingScheme, CustomHeightmapTerrainProvider, type TerrainProvider,
} from "@cesium/engine";

const SIDE = 17;

/**
 * Declared flat ground: one ellipsoidal height everywhere. Its meshes are made here and now, because a flat tile is made
 * faster than a worker answers, and the page then loads no worker at all.
 */
export function flatGround(ellipsoidal_m: number): TerrainProvider {
  const provider = new CustomHeightmapTerrainProvider({
    width: SIDE,
    height: SIDE,
    tilingScheme: new WebMercatorTilingScheme(),
    callback: () => new Float32Array(0),
  });
  const made = provider as unknown as { requestTileGeometry: () => Promise<HeightmapTerrainData>; _levelZeroMaximumGeometricError: number };
  // Tiles of few vertices would be split too eagerly, and the map on them with them.
  made._levelZeroMaximumGeometricError /= 4;
  made.requestTileGeometry = () => {
    const data = new HeightmapTerrainData({ buffer: new Float32Array(SIDE * SIDE).fill(ellipsoidal_m), width: SIDE, height: SIDE });
    const own = data as unknown as { createMesh(o: object): Promise<unknown>; _createMeshSync(o: object): unknown };
    own.createMesh = (options) => Promise.resolve(own._createMeshSync(options));
    return Promise.resolve(data);
  };
  return provider;
}
