/** What hands and keys do to the picture. They change the view in the state; the scene draws it. */

import { PITCH, reset, select, zoom, type Atlas } from "../state/atlas/store";
import { unproject, type Size } from "../state/atlas/view";

export interface Hands {
  size: () => Size;
  /** Town under a place of the picture. */
  town: (px: number, py: number) => string | null;
  place: (px: number, py: number) => string | null;
  /** The middle may not leave this box, metres on the plane. */
  bounds: () => [xmin: number, ymin: number, xmax: number, ymax: number];
}

const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v));

export function takeHands(stage: HTMLElement, atlas: Atlas, hands: Hands): () => void {
  const pointers = new Map<number, [number, number]>();
  let travelled = 0;

  const at = (event: PointerEvent | WheelEvent): [number, number] => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const move = (dx: number, dy: number): void => {
    const size = hands.size();
    const [x, y] = unproject(size.width / 2 - dx, size.height / 2 - dy, atlas.view, size);
    const [x0, y0, x1, y1] = hands.bounds();
    atlas.view = { ...atlas.view, x: clamp(x, x0, x1), y: clamp(y, y0, y1) };
  };
  /** Zooms so that what is under (px, py) stays there. */
  const zoomAt = (px: number, py: number, factor: number): void => {
    const size = hands.size();
    const before = unproject(px, py, atlas.view, size);
    zoom(atlas, factor);
    const after = unproject(px, py, atlas.view, size);
    const [x0, y0, x1, y1] = hands.bounds();
    atlas.view = {
      ...atlas.view,
      x: clamp(atlas.view.x + before[0] - after[0], x0, x1),
      y: clamp(atlas.view.y + before[1] - after[1], y0, y1),
    };
  };
  const turn = (dx: number, dy: number): void => {
    atlas.view = {
      ...atlas.view,
      heading: (atlas.view.heading - dx * 0.3 + 540) % 360 - 180,
      pitch: atlas.raised ? clamp(atlas.view.pitch + dy * 0.25, 25, 80) : PITCH.flat,
    };
  };

  const down = (event: PointerEvent): void => {
    pointers.set(event.pointerId, at(event));
    travelled = 0;
    stage.setPointerCapture(event.pointerId);
  };
  const drag = (event: PointerEvent): void => {
    const [px, py] = at(event);
    const last = pointers.get(event.pointerId);
    if (!last) {
      if (event.pointerType === "touch") return;
      atlas.hoveredPlace = hands.place(px, py);
      atlas.hovered = hands.town(px, py);
      return;
    }
    const [dx, dy] = [px - last[0], py - last[1]];
    travelled += Math.abs(dx) + Math.abs(dy);
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)![1];
      const before = Math.hypot(last[0] - other[0], last[1] - other[1]);
      const after = Math.hypot(px - other[0], py - other[1]);
      zoomAt((px + other[0]) / 2, (py + other[1]) / 2, before / Math.max(1, after));
      move(dx / 2, dy / 2);
    } else if (event.buttons & 2 || event.shiftKey) turn(dx, dy);
    else move(dx, dy);
    pointers.set(event.pointerId, [px, py]);
  };
  const up = (event: PointerEvent): void => {
    const was = pointers.delete(event.pointerId);
    if (!was || event.type === "pointercancel" || travelled > 6 || event.button === 2) return;
    const [px, py] = at(event);
    const place = hands.place(px, py);
    if (place) atlas.hoveredPlace = place;
    select(atlas, hands.town(px, py));
  };
  const leave = (): void => {
    atlas.hovered = null;
    atlas.hoveredPlace = null;
  };
  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const [px, py] = at(event);
    zoomAt(px, py, Math.exp(clamp(event.deltaY, -120, 120) * 0.0022));
  };
  const menu = (event: Event): void => event.preventDefault();
  const key = (event: KeyboardEvent): void => {
    const keys: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? turn(-40, 0) : move(60, 0)),
      ArrowRight: () => (event.shiftKey ? turn(40, 0) : move(-60, 0)),
      ArrowUp: () => (event.shiftKey ? turn(0, -24) : move(0, 60)),
      ArrowDown: () => (event.shiftKey ? turn(0, 24) : move(0, -60)),
      "+": () => zoom(atlas, 0.8),
      "=": () => zoom(atlas, 0.8),
      "-": () => zoom(atlas, 1.25),
      "0": () => reset(atlas),
      Escape: () => (atlas.selected = null),
    };
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };

  const all: [string, (event: never) => void, AddEventListenerOptions?][] = [
    ["pointerdown", down], ["pointermove", drag], ["pointerup", up], ["pointercancel", up], ["pointerleave", leave],
    ["wheel", wheel, { passive: false }], ["contextmenu", menu], ["keydown", key],
  ]; // prettier-ignore
  for (const [type, act, options] of all) stage.addEventListener(type, act as EventListener, options);
  return () => {
    for (const [type, act] of all) stage.removeEventListener(type, act as EventListener);
  };
}
