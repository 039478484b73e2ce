/** What the atlas shows now. The scene and the panels meet only here. */

import { reactive } from "vue";

import type { Collection, Twin } from "../../api/types";
import type { Herd } from "./livestock";
import type { AgeCount } from "./people";
import type { Place, PlaceKind } from "./places";
import type { Produce } from "./prices";
import type { Town } from "./towns";
import type { View } from "./view";
import type { Hours } from "./weather";

export interface Atlas {
  twin: Twin | null;
  towns: Town[];
  ages: AgeCount[];
  places: Place[];
  herds: Herd[];
  produce: Produce[];
  hours: Hours | null;
  /** By layer id: titles, units, sources and licences as the server states them. */
  layers: Record<string, Collection>;
  /** Layers that could not be had, with the server's line. */
  failed: Record<string, string>;
  ready: boolean;

  /** Which quantity the towns are drawn by (`towns.ts`). */
  measure: string;
  /** Which points stand on the map. */
  points: PlaceKind | "none";
  hovered: string | null;
  selected: string | null;
  hoveredPlace: string | null;
  /** Heights as well as colours. */
  raised: boolean;

  view: View;
  /** The picture that `reset` goes back to; the scene fills it once it knows its size. */
  home: View;
  lang: "ko" | "en";
}

const START: View = { x: 0, y: 0, scale: 60, heading: 0, pitch: 42 };

export const PITCH = { raised: 42, flat: 90 } as const;

export function createAtlas(): Atlas {
  return reactive<Atlas>({
    twin: null,
    towns: [],
    ages: [],
    places: [],
    herds: [],
    produce: [],
    hours: null,
    layers: {},
    failed: {},
    ready: false,
    measure: "people",
    points: "none",
    hovered: null,
    selected: null,
    hoveredPlace: null,
    raised: true,
    view: { ...START },
    home: { ...START },
    lang: "ko",
  });
}

export function select(atlas: Atlas, town: string | null): void {
  atlas.selected = atlas.selected === town ? null : town;
}

export function zoom(atlas: Atlas, factor: number): void {
  const least = atlas.home.scale * 0.12;
  const most = atlas.home.scale * 1.25;
  atlas.view = { ...atlas.view, scale: Math.min(most, Math.max(least, atlas.view.scale * factor)) };
}

export function reset(atlas: Atlas): void {
  atlas.view = { ...atlas.home };
}

/** `people`, `under15`, … that the age table says and the towns' own table does not. */
export function town(atlas: Atlas, id: string | null): Town | null {
  return atlas.towns.find((t) => t.id === id) ?? null;
}
