// The names that the page uses for what the server sends; the shapes themselves are printed from its OpenAPI (`make types`).
import type { components } from "./types.gen";

type Sent = components["schemas"];

export type Names = Sent["Names"];
export type SourceInfo = Sent["SourceModel"];
export type LicenceInfo = Sent["LicenceModel"];
export type LayerSummary = Sent["LayerSummary"];
export type Column = Sent["ColumnModel"];
export type Collection = Sent["Collection"];
export type TwinSummary = Sent["TwinSummary"];
export type Twin = Sent["TwinModel"];
export type FeatureCollection = Sent["FeatureCollection"];
/** A series of numbers; the server can also send words in a column, which no chart here draws. */
export interface SeriesAnswer extends Pick<Sent["SeriesModel"], "time">, Partial<Pick<Sent["SeriesModel"], "attributes">> {
  columns: Record<string, { unit: string; values: (number | null)[] }>;
}
export type SearchResult = Sent["SearchResult"];
export type SunDay = Sent["SunDay"];
export type SunMoment = Sent["SunPosition"];
export type Problem = Partial<Sent["Problem"]>;
export type ObjectAnswer = Sent["ObjectAnswer"];
/** An edit of a twin: set a building's height, metres above the ground. */
export interface Edit { op: "set"; object: string; height_m: number }

/** A GeoJSON feature; one read off the map itself may have no id and no geometry. */
export interface Feature {
  type: "Feature";
  id?: string | number;
  geometry: { type: string; coordinates?: unknown } | null;
  properties: Record<string, unknown>;
}
