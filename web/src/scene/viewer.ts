import { CesiumWidget } from "@cesium/engine";
export function createViewer(container: HTMLElement): CesiumWidget {
  return new CesiumWidget(container, { baseLayer: false });
}
