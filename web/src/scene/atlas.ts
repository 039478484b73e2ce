import type { CesiumWidget } from "@cesium/engine";
import type { State } from "../state/store";

/** The scene of an atlas twin: lives until `destroy`. */
export function createAtlas(_viewer: CesiumWidget, _state: State): { destroy(): void } {
  return { destroy() {} };
}
