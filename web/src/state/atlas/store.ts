/** What the atlas shows now. The scene and the panels meet only here. */

import { shallowReactive } from "vue";

import type { Collection } from "../../api/types";
import type { State } from "../store";
import type { Herd } from "./livestock";
import type { AgeCount } from "./people";
import type { Place, PlaceKind } from "./places";
import type { Produce } from "./prices";
import type { Town } from "./towns";
import type { View } from "./view";
import type { Hours } from "./weather";

export interface Atlas {
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
  /** Something else is told on the map: towns are a quiet ground, flat and of one colour, and these places are seen too (degrees). */
  beneath: [lon: number, lat: number][] | null;

  view: View;
  /** The picture that `reset` goes back to; the scene fills it once it knows its size. */
  home: View;
}

const START: View = { x: 0, y: 0, scale: 60, heading: 0, pitch: 52 };

export const PITCH = { raised: 52, flat: 90 } as const;

const atlases = new WeakMap<State, Map<string, Atlas>>();

/** The atlas of the page's twin; one a twin, so that coming back finds it as it was left. */
export function atlasOf(state: State, twin: string): Atlas {
  const known = atlases.get(state) ?? new Map<string, Atlas>();
  atlases.set(state, known);
  const atlas = known.get(twin) ?? createAtlas();
  known.set(twin, atlas);
  return atlas;
}

export function createAtlas(): Atlas {
  // Shallow: its arrays are large and replaced as wholes, never changed in place.
  return shallowReactive<Atlas>({
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
    beneath: null,
    view: { ...START },
    home: { ...START },
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

export function town(atlas: Atlas, id: string | null): Town | null {
  return atlas.towns.find((t) => t.id === id) ?? null;
}
