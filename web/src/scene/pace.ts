import type { CesiumWidget } from "@cesium/engine";

/** Pixels that software rendering draws while something moves. */
const MOVING_PIXELS = 420_000;

/**
 * Where drawing is slow, moving pictures are drawn coarser and the resting one at full size; where it is not, nothing is done.
 * `resting` hears when that changes. Returns what to call each animation frame.
 */
export function createPace(widget: CesiumWidget, lite: boolean, resting: (rests: boolean) => void): { moving(now: number): void; frame(now: number): void } {
  let last = 0;
  let coarse = false;
  const coarser = () => {
    const pixels = widget.canvas.clientWidth * widget.canvas.clientHeight;
    return Math.min(1, Math.max(0.5, Math.sqrt(MOVING_PIXELS / Math.max(1, pixels))));
  };
  return {
    moving(now) {
      last = now;
      if (lite && !coarse) {
        coarse = true;
        widget.resolutionScale = coarser();
        resting(false);
      }
    },
    frame(now) {
      if (lite && coarse && now - last > 450) {
        coarse = false;
        widget.resolutionScale = 1;
        resting(true);
        widget.scene.requestRender();
      }
    },
  };
}
