import { Event, ImageryLayer, Rectangle, WebMercatorTilingScheme, type ImageryProvider, type Scene } from "@cesium/engine";
import { fetchHeaders } from "../api/client";
import type { GroundGrid } from "../state/plan";

const SIDE = 256;

export interface GroundLayer {
  /** Lays a grid's picture tiles over the ground, or takes them away. */
  showGrid(grid: GroundGrid | null): void;
  destroy(): void;
}

/** A result on the ground: picture tiles that the server draws from a grid. A tile that is not there stays clear. */
export function createGroundLayer(scene: Scene): GroundLayer {
  let layer: ImageryLayer | null = null;
  let url = "";
  const clear = document.createElement("canvas");
  clear.width = clear.height = 1;
  const remove = () => {
    if (layer) scene.imageryLayers.remove(layer);
    layer = null;
    url = "";
  };
  return {
    showGrid(grid) {
      if (!grid) remove();
      else if (layer && url === grid.url) layer.alpha = grid.opacity;
      else {
        remove();
        url = grid.url;
        const address = grid.url;
        const { draw } = grid;
        const rectangle = Rectangle.fromDegrees(...grid.rectangle);
        const provider = {
          tileWidth: SIDE,
          tileHeight: SIDE,
          minimumLevel: 0,
          maximumLevel: 19,
          tilingScheme: new WebMercatorTilingScheme(),
          rectangle,
          tileDiscardPolicy: undefined,
          errorEvent: new Event(),
          credit: undefined,
          proxy: undefined,
          hasAlphaChannel: true,
          getTileCredits: () => [],
          async requestImage(x: number, y: number, level: number) {
            if (draw) return draw(level, x, y) ?? clear;
            const answer = await fetch(address.replace("{z}", String(level)).replace("{x}", String(x)).replace("{y}", String(y)), { headers: fetchHeaders() });
            if (!answer.ok || answer.status === 204) return clear;
            const bytes = await answer.blob();
            // As the engine lays pictures: the first row is the northernmost.
            return bytes.size ? createImageBitmap(bytes, { imageOrientation: "flipY", premultiplyAlpha: "none", colorSpaceConversion: "none" }) : clear;
          },
          pickFeatures: () => undefined,
        } as unknown as ImageryProvider;
        layer = new ImageryLayer(provider, { rectangle, alpha: grid.opacity });
        scene.imageryLayers.add(layer);
      }
      scene.requestRender();
    },
    destroy: remove,
  };
}
