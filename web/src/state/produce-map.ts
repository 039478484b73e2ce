import { shallowReactive } from "vue";
import type { Way } from "./produce-plan";

/** One line of a plan in the picture: from where to where, how many kilograms, and how it stands to the plan before. */
export interface MapLine { key: string; way: Way; kg: number; product: string; look: "kept" | "new" | "gone" | "load"; strong: boolean }
/** A place at an end of lines, with its name in both languages. */
export interface MapPlace { key: string; lon: number; lat: number; kind: "origin" | "place" | "depot"; name: { ko: string; en: string }; kg: number }

/** What of a delivery plan stands in the picture; small, because the page's start reads it. */
export const onMap = shallowReactive<{ twin: string; lines: MapLine[]; places: MapPlace[] }>({ twin: "", lines: [], places: [] });

export function show(twin: string, lines: MapLine[], places: MapPlace[]): void {
  Object.assign(onMap, { twin, lines, places });
}
export function clear(): void {
  if (onMap.lines.length) show("", [], []);
}
