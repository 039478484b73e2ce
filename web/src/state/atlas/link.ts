/** What of an atlas stands in the page's address, and back. */

import { watch } from "vue";
import type { State } from "../store";
import type { PlaceKind } from "./places";
import type { Atlas } from "./store";
import { MEASURES } from "./towns";

/** "density,flat" and the like; empty for the first view. */
export function written(atlas: Pick<Atlas, "measure" | "raised">): string {
  const first = atlas.measure === MEASURES[0]!.id;
  return [...(first && atlas.raised ? [] : [atlas.measure]), ...(atlas.raised ? [] : ["flat"])].join(",");
}

/** What is not understood is left as it is. */
export function read(text: string, atlas: Pick<Atlas, "measure" | "raised">): void {
  const parts = text.split(",");
  const measure = MEASURES.find((m) => parts.includes(m.id));
  if (measure) atlas.measure = measure.id;
  if (parts.includes("flat")) atlas.raised = false;
}

const LAYER_OF: Record<PlaceKind, string> = { schools: "schools", pharmacies: "pharmacies", hospitals: "hospitals", stations: "rail" };

/** Keeps the page's own state, and so the address, in step with the atlas. Returns what ends it. */
export function follow(state: State, atlas: Atlas): () => void {
  read(state.looks.atlas, atlas);
  const kinds = Object.keys(LAYER_OF) as PlaceKind[];
  const on = kinds.find((k) => state.looks.layers.includes(LAYER_OF[k]));
  if (on) atlas.points = on;
  const tell = (id: string | null): void => {
    if ((state.pick.selection?.id ?? null) === id) return;
    const ring = atlas.towns.find((t) => t.id === id)?.polygons[0]?.[0];
    state.pick.selection = id && ring ? { id, layer: "towns", lon: ring[0]![0], lat: ring[0]![1], feature: null } : null;
  };
  // Coming back from another twin, the town is still chosen here and no longer there.
  if (atlas.selected) tell(atlas.selected);
  const stops = [
    watch(() => written(atlas), (text) => (state.looks.atlas = text)),
    watch(() => atlas.points, (kind) => (state.looks.layers = kind === "none" ? [] : [LAYER_OF[kind]])),
    watch(() => atlas.selected, tell),
    watch(() => state.pick.selection, (found) => {
      if (!found) return;
      if (found.layer === "towns") atlas.selected = found.id;
      const kind = kinds.find((k) => LAYER_OF[k] === found.layer);
      if (!kind) return;
      atlas.points = kind;
      atlas.raised = false;
      atlas.hoveredPlace = `${kind}/${found.id}`;
    }, { immediate: true }),
  ]; // prettier-ignore
  return () => stops.forEach((stop) => stop());
}
