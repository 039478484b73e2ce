import { Cartesian2, Cesium3DTileFeature, type Scene } from "@cesium/engine";

export interface Pointer { destroy(): void }

/** What the hand does on the scene, told in words. */
export interface Hand {
  grab(at: Cartesian2, touch: boolean): boolean;
  /** The hand moves what it holds; a key says how. */
  pull(at: Cartesian2, keys: { shift: boolean }): void;
  release(): void;
  hover(at: Cartesian2 | null, building: string | null): void;
  /** A tool that follows the pointer hears every move. */
  move?(at: Cartesian2, keys: { shift: boolean }): void;
  click(at: Cartesian2, building: string | null, keys: { shift: boolean }): void;
}

/** What our own draws give to be found by. */
export interface Findable { building: string }

/** The building under a screen point, by its id. */
export function buildingAt(scene: Scene, at: Cartesian2): string | null {
  const found = scene.pick(at, 3, 3) as Cesium3DTileFeature | Findable | undefined;
  if (found instanceof Cesium3DTileFeature) return String(found.getProperty("id"));
  return found && "building" in found ? found.building : null;
}

export function createPointer(scene: Scene, hand: Hand, hoverEvery_ms: number): Pointer {
  const { canvas } = scene;
  const control = scene.screenSpaceCameraController;
  let down: Cartesian2 | null = null;
  let pulling = false;
  let moved = false;
  let waiting: ReturnType<typeof setTimeout> | null = null;
  let last: Cartesian2 | null = null;
  const point = (event: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    return new Cartesian2(event.clientX - box.left, event.clientY - box.top);
  };
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    down = point(event);
    moved = false;
    if (hand.grab(down, event.pointerType === "touch")) {
      pulling = true;
      control.enableInputs = false;
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    }
  };
  const onMove = (event: PointerEvent) => {
    const at = point(event);
    last = at;
    if (pulling) {
      hand.pull(at, { shift: event.shiftKey });
      return;
    }
    if (down && Cartesian2.distance(down, at) > 5) moved = true;
    hand.move?.(at, { shift: event.shiftKey });
    if (down || event.pointerType === "touch" || waiting) return;
    waiting = setTimeout(() => {
      waiting = null;
      if (last && !down) hand.hover(last, buildingAt(scene, last));
    }, hoverEvery_ms);
  };
  const onUp = (event: PointerEvent) => {
    const at = point(event);
    if (pulling) {
      pulling = false;
      control.enableInputs = true;
      hand.release();
    } else if (down && !moved && event.button === 0) hand.click(at, buildingAt(scene, at), { shift: event.shiftKey });
    down = null;
  };
  const onLeave = () => {
    last = null;
    hand.hover(null, null);
  };
  // Taken before the engine's own listeners see it: a grip is not a camera move.
  canvas.addEventListener("pointerdown", onDown, { capture: true });
  canvas.addEventListener("pointermove", onMove);
  canvas.addEventListener("pointerup", onUp);
  canvas.addEventListener("pointercancel", onUp);
  canvas.addEventListener("pointerleave", onLeave);
  return {
    destroy() {
      canvas.removeEventListener("pointerdown", onDown, { capture: true });
      canvas.removeEventListener("pointermove", onMove);
      canvas.removeEventListener("pointerup", onUp);
      canvas.removeEventListener("pointercancel", onUp);
      canvas.removeEventListener("pointerleave", onLeave);
      if (waiting) clearTimeout(waiting);
    },
  };
}
