// What of the ground the picture shows, as a box: good enough to begin terms with.
import type { Box } from "../api/exchange";
import type { State } from "./store";

/** West, south, east, north, degrees, about where the camera looks; `null` where nothing is known of the camera. */
export function viewBox(state: State): Box | null {
  const camera = state.place.camera;
  const twin = state.twins.current;
  if (!camera || !twin) return null;
  const above = Math.max(30, camera.height - twin.ground.ellipsoidal_m);
  const down = Math.min(89, Math.max(12, -camera.pitch)) * (Math.PI / 180);
  const away = Math.min(above / Math.tan(down), above * 4);
  const reach = (above / Math.sin(down)) * 0.5;
  const north = 111_195;
  const east = north * Math.cos((camera.lat * Math.PI) / 180);
  const heading = (camera.heading * Math.PI) / 180;
  const [x, y] = [camera.lon + (Math.sin(heading) * away) / east, camera.lat + (Math.cos(heading) * away) / north];
  return [x - reach / east, y - reach / north, x + reach / east, y + reach / north];
}
