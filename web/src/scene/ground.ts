import {
  HeightmapTerrainData, WebMercatorTilingScheme, CustomHeightmapTerrainProvider, type TerrainProvider,
} from "@cesium/engine";

const SIDE = 17;

/**
 * Declared flat ground: one ellipsoidal height everywhere. Its meshes are made here and now, because a flat tile is made
 * faster than a worker answers, and the page then loads no worker at all. `wake` asks for the next frame: the engine only
 * hears of its own requests and workers.
 */
export function flatGround(ellipsoidal_m: number, wake: () => void): TerrainProvider {
  const provider = new CustomHeightmapTerrainProvider({
    width: SIDE,
    height: SIDE,
    tilingScheme: new WebMercatorTilingScheme(),
    callback: () => new Float32Array(0),
  });
  const made = provider as unknown as { requestTileGeometry: () => Promise<HeightmapTerrainData> };
  made.requestTileGeometry = () => {
    const data = new HeightmapTerrainData({ buffer: new Float32Array(SIDE * SIDE).fill(ellipsoidal_m), width: SIDE, height: SIDE });
    const own = data as unknown as { createMesh(o: object): Promise<unknown>; _createMeshSync(o: object): unknown };
    own.createMesh = (options) => {
      setTimeout(wake);
      return Promise.resolve(own._createMeshSync(options));
    };
    setTimeout(wake);
    return Promise.resolve(data);
  };
  return provider;
}
