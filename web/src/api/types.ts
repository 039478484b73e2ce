// The shapes the server sends, by hand until `npm run types` prints them from its OpenAPI.

export interface Names { ko: string; en: string }
export interface Attribution { text: string; url?: string | null; licence?: string | null }
export interface SourceInfo { id?: string; title: string; publisher?: string | null; url?: string | null; date?: string | null; note?: string | null }
export interface LicenceInfo { id: string; title: string; url?: string | null; attribution?: string | null }

export interface LayerSummary {
  id: string;
  title: Names;
  kind: "features" | "grid" | "series" | "table";
  geometry?: string | null;
  count?: number | null;
  grade?: string | null;
  version?: string | number | null;
  licence?: LicenceInfo | string | null;
  source?: SourceInfo | null;
  assumed?: Names[] | null;
}

export interface Column { name: string; type: string; unit?: string | null; title?: Names | null }
export interface Collection extends LayerSummary {
  extent?: unknown;
  columns?: Column[];
}

export interface Ground { kind: "flat"; height_m: number; ellipsoidal_m: number; assumed: boolean; note: Names }
export interface Home { lon: number; lat: number; height_m: number; heading_deg: number; pitch_deg: number; range_m: number }
export interface Bounds { xmin: number; ymin: number; xmax: number; ymax: number }

export interface TwinSummary { id: string; names: Names; kind: "city3d" | "atlas" }
export interface Twin extends TwinSummary {
  time_zone: string;
  frame: { crs: string; vertical: string; undulation_m: number; undulation_source: string };
  bounds: Bounds;
  bounds_lonlat: [number, number, number, number];
  edge: { type: string; coordinates: number[][][] };
  ground: Ground;
  home: Home;
  day: string;
  attributions: Attribution[];
  notices: Names[];
  layers: LayerSummary[];
  sunlight: Record<string, unknown> | null;
  links?: unknown;
}

export interface Feature {
  type: "Feature";
  id?: string | number;
  geometry: { type: string; coordinates: unknown } | null;
  properties: Record<string, unknown>;
}
export interface FeatureCollection { type: "FeatureCollection"; features: Feature[]; numberMatched?: number; numberReturned?: number }
export interface SeriesAnswer { attributes?: Record<string, unknown>; time: string[]; columns: Record<string, { unit: string | null; values: (number | null)[] }> }

export interface SearchResult { id: string; layer: string; names: Names; kind?: string | null; lon: number; lat: number; height_m?: number | null }

export interface SunMoment { time_local: string; time_solar: string; azimuth_deg: number; altitude_deg: number }

export interface Problem { type?: string; title?: string; status?: number; detail?: string; instance?: string; parameter?: string }

export interface ObjectAnswer {
  id: string;
  layer: string;
  version: string;
  names: Names;
  kind: string;
  function: string | null;
  lon: number | null;
  lat: number | null;
  properties: { name: string; title: Names; unit: string; value: string | number | boolean | null }[];
  building: {
    height: { value_m: number; source: "measured" | "levels" | "estimated"; error_m: number | null; assumed: boolean; statement: Names };
    storeys: { count: number | null; storey_m: number | null; source: string };
    min_height_m: number | null;
    year: number | null;
    parts: { id: string }[];
  } | null;
  findings: { code: string; severity: string; message: Names; value: number | null; unit: string }[];
  source: SourceInfo;
  licence: LicenceInfo;
  assumed: Names[];
}
