import {
  Cartesian3, Cesium3DTileset, Cesium3DTileFeature, Color, CustomShader, LightingModel, Matrix4, Resource, ShadowMode,
  UniformType, type Scene,
} from "@cesium/engine";
import type { Place } from "./place";
import { readGlb, type Piece } from "./glb";

interface TileContent {
  url: string;
  featuresLength: number;
  getFeature(i: number): Cesium3DTileFeature;
}
interface Tile {
  content: TileContent;
  computedTransform: Matrix4;
}

/** A loaded tile's triangles for our own draws, in the tile's local axes (glTF, y up). */
export interface LoadedTile {
  pieces: Piece[];
  /** Tile's local east, north, up to the earth. */
  transform: Matrix4;
  ids: Map<string, number>;
  features: Cesium3DTileFeature[];
}

/** The twin's buildings as 3D Tiles. */
export interface Buildings {
  tileset: Cesium3DTileset;
  tiles: Map<object, LoadedTile>;
  /** Told when the set of tiles changes. */
  onTiles: ((tile: LoadedTile | null, key: object) => void)[];
  /** Id of the tallest building loaded; null before any is. */
  tallest(): string | null;
  find(id: string): { tile: LoadedTile; key: object; feature: number } | null;
  hide(id: string | null): void;
  /** Not shown because a plan has them otherwise. */
  without(ids: ReadonlySet<string>): void;
  mark(hover: string | null, selected: string | null): void;
  update(): void;
  destroy(): void;
}

// The tiles are fetched by the engine; our shadow draws want the same bytes, so they are looked at as they pass.
type Load = (url: string, type: string, method: string, data: unknown, headers: unknown, deferred: { promise: Promise<unknown> }, mime?: string) => unknown;
const passing = new Map<string, ArrayBuffer>();
let watching = false;
function watchLoads(): void {
  if (watching) return;
  watching = true;
  const doors = (Resource as unknown as { _Implementations: { loadWithXhr: Load } })._Implementations;
  const load = doors.loadWithXhr;
  doors.loadWithXhr = (url, type, method, data, headers, deferred, mime) => {
    if (type === "arraybuffer" && url.includes(".glb"))
      deferred.promise.then((bytes) => bytes instanceof ArrayBuffer && passing.set(url, bytes)).catch(() => undefined);
    return load(url, type, method, data, headers, deferred, mime);
  };
}

const HOVER = Color.fromCssColorString("#ffe3ad");
const SELECTED = Color.fromCssColorString("#ffcd7d");

/** Own shading: flat faces, a quiet sun, a breath of dark at the foot, a little light with height. */
export const SHADE = `
vec3 shadeWall(vec3 n, vec3 up, vec3 sun, float h, vec3 base) {
  float sunUp = dot(sun, up);
  float day = smoothstep(-0.02, 0.12, sunUp);
  float lit = max(dot(n, sun), 0.0) * day;
  float sky = 0.5 + 0.5 * dot(n, up);
  vec3 cool = vec3(0.705, 0.73, 0.775);
  vec3 warm = mix(vec3(1.0, 0.83, 0.66), vec3(1.0, 0.965, 0.90), smoothstep(0.05, 0.5, sunUp));
  vec3 c = base * (cool * (0.66 + 0.20 * sky) + warm * lit * 0.45);
  c *= mix(0.90, 1.0, smoothstep(0.0, 22.0, h));
  c = mix(c, c * vec3(1.04, 1.02, 0.985), smoothstep(60.0, 320.0, h));
  return min(c, vec3(1.0));
}`;

export async function createBuildings(scene: Scene, place: Place, url: string, lite: boolean): Promise<Buildings> {
  watchLoads();
  const shader = new CustomShader({
    lightingModel: LightingModel.UNLIT,
    uniforms: {
      u_up: { type: UniformType.VEC3, value: place.up },
      u_groundEC: { type: UniformType.FLOAT, value: 0 },
    },
    fragmentShaderText: `${SHADE}
      void fragmentMain(FragmentInput fsInput, inout czm_modelMaterial material) {
        vec3 p = fsInput.attributes.positionEC;
        vec3 n = normalize(cross(dFdx(p), dFdy(p)));
        vec3 up = czm_viewRotation * u_up;
        material.diffuse = shadeWall(n, up, czm_lightDirectionEC, dot(p, up) - u_groundEC, vec3(0.965, 0.955, 0.935));
      }`,
  });
  const tileset = await Cesium3DTileset.fromUrl(url, {
    customShader: shader,
    shadows: ShadowMode.ENABLED,
    maximumScreenSpaceError: lite ? 24 : 16,
    cacheBytes: 256 * 1024 * 1024,
    skipLevelOfDetail: false,
    dynamicScreenSpaceError: false,
    environmentMapOptions: { enabled: false },
    backFaceCulling: true,
  } as Cesium3DTileset.ConstructorOptions);
  scene.primitives.add(tileset);

  const tiles = new Map<object, LoadedTile>();
  const onTiles: Buildings["onTiles"] = [];
  let hidden: string | null = null;
  let planned: ReadonlySet<string> = new Set();
  let marks: [string | null, string | null] = [null, null];
  const absolute = (path: string) => new URL(path, location.href).href;

  const load = (tile: Tile) => {
    const content = tile.content;
    if (!content?.url || !content.featuresLength) return;
    const href = [...passing.keys()].find((key) => absolute(key) === absolute(content.url));
    const bytes = href ? passing.get(href) : undefined;
    if (href) passing.delete(href);
    const ids = new Map<string, number>();
    const features: Cesium3DTileFeature[] = [];
    for (let i = 0; i < content.featuresLength; i++) {
      const feature = content.getFeature(i);
      features.push(feature);
      ids.set(String(feature.getProperty("id")), i);
    }
    const loaded: LoadedTile = {
      pieces: bytes ? readGlb(bytes) : [],
      transform: Matrix4.clone(tile.computedTransform),
      ids,
      features,
    };
    tiles.set(tile, loaded);
    for (const id of [hidden, ...planned]) if (id && ids.has(id)) features[ids.get(id)!]!.show = false;
    paint(...marks);
    for (const tell of onTiles) tell(loaded, tile);
  };
  const drop = (tile: Tile) => {
    if (tiles.delete(tile)) for (const tell of onTiles) tell(null, tile);
  };
  tileset.tileLoad.addEventListener(load as never);
  tileset.tileUnload.addEventListener(drop as never);

  const find: Buildings["find"] = (id) => {
    for (const [key, tile] of tiles) {
      const feature = tile.ids.get(id);
      if (feature !== undefined) return { tile, key, feature };
    }
    return null;
  };
  const colour = (id: string | null, c: Color) => {
    const found = id ? find(id) : null;
    const feature = found?.tile.features[found.feature];
    if (feature) feature.color = c;
  };
  const paint = (hover: string | null, selected: string | null) => {
    colour(marks[0], Color.WHITE);
    colour(marks[1], Color.WHITE);
    marks = [hover, selected];
    colour(hover, HOVER);
    colour(selected, SELECTED);
  };
  const show = (id: string | null, on: boolean) => {
    const found = id ? find(id) : null;
    const feature = found?.tile.features[found.feature];
    if (feature) feature.show = on;
  };

  const tallest: Buildings["tallest"] = () => {
    let [best, most] = [null as string | null, 0];
    for (const tile of tiles.values())
      for (const [id, i] of tile.ids) {
        const height = Number(tile.features[i]!.getProperty("height_m") ?? 0);
        if (height > most) [best, most] = [id, height];
      }
    return best;
  };

  return {
    tileset,
    tiles,
    onTiles,
    tallest,
    find,
    hide(id) {
      if (id === hidden) return;
      if (hidden && !planned.has(hidden)) show(hidden, true);
      hidden = id;
      show(hidden, false);
    },
    without(ids) {
      for (const id of planned) if (!ids.has(id) && id !== hidden) show(id, true);
      planned = new Set(ids);
      for (const id of planned) show(id, false);
    },
    mark: paint,
    update() {
      const view = scene.camera.viewMatrix;
      const ground = Matrix4.multiplyByPoint(view, place.middle, new Cartesian3());
      const up = Matrix4.multiplyByPointAsVector(view, place.up, new Cartesian3());
      shader.setUniform("u_groundEC", Cartesian3.dot(ground, up));
    },
    destroy() {
      scene.primitives.remove(tileset);
      tiles.clear();
    },
  };
}
