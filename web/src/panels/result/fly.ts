import type { Twin } from "../../api/types";
import type { Spot } from "../../state/verify";

/** Whether the page can show a place: it lies in a city that it draws. */
export function flyable(twin: Twin, spot: Spot): boolean {
  if (twin.kind !== "city3d") return false;
  const [west, south, east, north] = twin.bounds_lonlat as [number, number, number, number];
  return spot.lon >= west && spot.lon <= east && spot.lat >= south && spot.lat <= north;
}
