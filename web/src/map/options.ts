// What a page says of its map, in the attribute data-map of an element (src/twintown/api/templates).

/** west, south, east, north, degrees */
export type Box = [number, number, number, number];

export interface LayerOptions {
  id: string;
  /** Point, LineString, Polygon, GeometryCollection */
  geometry: string | null;
  count: number;
  /** address of the vector tiles with {z}, {x}, {y} */
  tiles: string;
  /** address of the items, for the link of a click */
  items: string;
}

export interface MapOptions {
  /** address of the style of the base map */
  style: string;
  bounds?: Box;
  /** a polygon where the data ends */
  edge?: unknown;
  layer?: LayerOptions;
  /** address of map tiles (PNG) with {z}, {x}, {y} */
  raster?: string;
  /** address of GeoJSON: a page of items, or one */
  geojson?: string;
  items?: string;
  /** the page has a table whose rows carry data-feature */
  rows?: boolean;
}

export function readOptions(element: HTMLElement): MapOptions {
  return JSON.parse(element.dataset.map ?? "{}") as MapOptions;
}

/** The box of everything in a GeoJSON value; null where nothing is drawn. */
export function boxOf(value: unknown): Box | null {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      if (typeof part[0] === "number" && typeof part[1] === "number") {
        box[0] = Math.min(box[0], part[0]);
        box[1] = Math.min(box[1], part[1]);
        box[2] = Math.max(box[2], part[0]);
        box[3] = Math.max(box[3], part[1]);
      } else for (const one of part) visit(one);
    } else if (part && typeof part === "object") {
      const o = part as Record<string, unknown>;
      visit(o.coordinates ?? o.geometries ?? o.geometry ?? o.features);
    }
  };
  visit(value);
  return box[0] <= box[2] ? box : null;
}

/** A path of items for an id; slashes in it stay. */
export function itemAddress(items: string, id: string): string {
  return `${items}/${id.split("/").map(encodeURIComponent).join("/")}`;
}

/** The name of a feature in a language, else its id. */
export function nameOf(properties: Record<string, unknown>, lang: string, id: string): string {
  for (const key of [`name_${lang}`, "name", "title"]) if (properties[key]) return String(properties[key]);
  return id;
}
