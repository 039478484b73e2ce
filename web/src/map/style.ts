// How a layer of data lies over the quiet base map: one strong colour, the same for areas, lines and points.
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Box } from "./options";

const INK = "#1e5a78";
const SUN = "#c77d0a";
export const EMPTY: StyleSpecification = {
  version: 8,
  sources: {},
  layers: [{ id: "paper", type: "background", paint: { "background-color": "#f3f1ec" } }],
};

/** The layers of one source of data. A feature that is pointed at is `hot`. */
export function dataLayers(source: string, sourceLayer?: string): LayerSpecification[] {
  const from = { source, ...(sourceLayer ? { "source-layer": sourceLayer } : {}) };
  const hot = ["boolean", ["feature-state", "hot"], false];
  return [
    {
      id: `${source}-areas`, type: "fill", ...from, filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": ["case", hot, SUN, INK], "fill-opacity": ["case", hot, 0.55, 0.34] },
    },
    {
      id: `${source}-edges`, type: "line", ...from, filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "line-color": ["case", hot, SUN, INK], "line-width": ["interpolate", ["linear"], ["zoom"], 10, 0.6, 17, 1.6] },
    },
    {
      id: `${source}-lines`, type: "line", ...from, filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": ["case", hot, SUN, INK], "line-width": ["interpolate", ["linear"], ["zoom"], 9, 1, 17, 4] },
    },
    {
      id: `${source}-points`, type: "circle", ...from, filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": ["case", hot, SUN, INK], "circle-stroke-color": "#fff",
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 2, 13, 4, 17, 6.5],
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 10, 0.4, 16, 1.6],
      },
    },
  ] as unknown as LayerSpecification[];
}

/** The base map drawn below data: names stay on top. */
export function below(style: StyleSpecification): string | undefined {
  return style.layers.find((layer) => layer.type === "symbol")?.id;
}

/** A box a little larger than a point needs, so that one point has surroundings. */
export function roomy([west, south, east, north]: Box): Box {
  const least = 0.0016;
  const x = Math.max(0, least - (east - west)) / 2;
  const y = Math.max(0, least - (north - south)) / 2;
  return [west - x, south - y, east + x, north + y];
}
