import {
  HeightmapTerrainData, WebMercatorTilingScheme, CustomHeightmapTerrainProvider, Material, Color, type CesiumWidget, type TerrainProvider,
} from "@cesium/engine";

const SIDE = 9;

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
  const made = provider as unknown as { requestTileGeometry: () => Promise<HeightmapTerrainData> };
  made.requestTileGeometry = () => {
    const data = new HeightmapTerrainData({ buffer: new Float32Array(SIDE * SIDE).fill(ellipsoidal_m), width: SIDE, height: SIDE });
    const own = data as unknown as { createMesh(o: object): Promise<unknown>; _createMeshSync(o: object): unknown };
    own.createMesh = (options) => Promise.resolve(own._createMeshSync(options));
    return Promise.resolve(data);
  };
  return provider;
}

/** Lets the ground fade to the sky's colour far away, so that the horizon is quiet. */
export function fadeGround(widget: CesiumWidget, near_m: number, far_m: number): void {
  const { globe } = widget.scene;
  if (!globe) return;
  globe.material = new Material({
    fabric: {
      uniforms: { haze: Color.fromCssColorString("#e4e9ea"), near: near_m, far: far_m },
      source: `czm_material czm_getMaterial(czm_materialInput input_) {
        czm_material m = czm_getDefaultMaterial(input_);
        m.diffuse = haze.rgb;
        m.alpha = smoothstep(near, far, length(input_.positionToEyeEC));
        return m; }`,
    },
  });
}
