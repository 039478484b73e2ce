import { reactive, shallowReactive } from "vue";
import type { Api } from "../api/client";
import { ServerProblem } from "../api/client";
import type { Feature, Twin, TwinSummary } from "../api/types";
import { createEventsNow, type EventsNow } from "./events";
import { createExchangeNow, type ExchangeNow } from "./exchange";
import type { Link } from "./link";
import { createPlanNow, type GroundGrid, type PlanNow } from "./plan";

export type Lang = "ko" | "en";
export type Basis = "solar" | "civil";
/** What the ground shows: the moving shadow, the sun hours, or the hours taken by the edit. */
export type Mode = "shadow" | "hours" | "lost";

/** Where the camera stands: degrees, metres above the ellipsoid. */
export interface Camera { lon: number; lat: number; height: number; heading: number; pitch: number }

/** What was clicked or found. A building is told by its object id, anything else brings its own properties. */
export interface Selection {
  id: string;
  layer: string;
  lon: number;
  lat: number;
  feature: Feature | null;
}

/** Flights are asked for by the page and flown by the scene; each has a new number. */
export interface Flight { number: number; lon: number; lat: number; height_m: number; range_m: number }

export interface Looks {
  lang: Lang;
  mode: Mode;
  /** Layers switched on besides the base map, by id. */
  layers: string[];
  lite: boolean;
  /** What an atlas shows, as a link has it; empty for its own first view. */
  atlas: string;
  reducedMotion: boolean;
  /** The facade points can be put away to see the walls. */
  facades: boolean;
}

/** The one state of the page. Panels and scene read it; both change it only through the functions of `state/`. */
export interface State {
  readonly api: Api;
  readonly looks: Looks;
  /** Set while a twin is being opened; the line to show when it could not be. */
  readonly status: { loading: boolean; problem: string; ready: boolean };
  readonly twins: { list: TwinSummary[]; current: Twin | null };
  readonly place: { camera: Camera | null; wanted: Camera | null; flight: Flight | null };
  readonly pick: { selection: Selection | null; hover: string | null };
  /** What is being planned, and whether its column is open. */
  readonly plan: PlanNow;
  /** What is shared with other cities, and whether its column is open. */
  readonly exchange: ExchangeNow;
  /** What is done at a place and a time, and whether its column is open. */
  readonly events: EventsNow;
  /** A grid laid over the ground as a picture: a result, or none. */
  readonly ground: { grid: GroundGrid | null };
}

export function createState(api: Api, link: Link): State {
  return {
    api,
    looks: reactive({
      lang: link.lang,
      mode: link.mode,
      layers: link.layers,
      lite: false,
      atlas: link.atlas ?? "",
      reducedMotion: false,
      facades: true,
    }),
    status: reactive({ loading: true, problem: "", ready: false }),
    twins: shallowReactive({ list: [], current: null }),
    place: shallowReactive({ camera: null, wanted: link.camera, flight: null }),
    pick: shallowReactive({ selection: null, hover: null }),
    plan: createPlanNow(link.plan),
    exchange: createExchangeNow(link.partners),
    events: createEventsNow(link.events),
    ground: shallowReactive({ grid: null }),
  };
}

/** Runs what asks the server; trouble becomes one line on the page, and `undefined` here. */
export async function told<T>(state: State, work: () => Promise<T>): Promise<T | undefined> {
  try {
    const result = await work();
    return result;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    state.status.problem = error instanceof ServerProblem && error.status === 0 ? "unreachable" : String((error as Error).message);
    return undefined;
  }
}

/** Loads the list of twins and opens one: the named, or the first. */
export async function openTwin(state: State, id: string | null): Promise<void> {
  state.status.loading = true;
  state.status.problem = "";
  await told(state, async () => {
    const listed = state.twins.list.length ? Promise.resolve(state.twins.list) : state.api.twins();
    const first = id ?? (await listed)[0]?.id;
    if (!first) throw new Error("no twin");
    const [list, twin] = await Promise.all([listed, state.api.twin(first)]);
    state.pick.selection = null;
    state.twins.list = list;
    state.twins.current = twin;
  });
  state.status.loading = false;
}

let flights = 0;
/** Asks the scene to fly to a place. */
export function flyTo(state: State, lon: number, lat: number, height_m: number, range_m = 600): void {
  state.place.flight = { number: ++flights, lon, lat, height_m, range_m };
}
