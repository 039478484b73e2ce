// A footprint that is drawn, corner by corner, and raised; and one that is given by its size.
import type { Desk } from "./scenario-desk";
import { clamp, whole } from "./scenario-ops";
import { areaOf, block, crossing, newId, rectangle, STOREY_M, type Ring, type Solid, type XY } from "./scenario-shape";
import type { Draft, Planning, ToolName } from "./scenario-types";

export type Drawing = Pick<
  Planning,
  "use" | "close" | "corner" | "point" | "back" | "raise" | "draftStorey" | "finish" | "cancel" | "addRectangle" | "middle"
>;

export function createDrawing(desk: Desk, add: (solid: Solid) => Promise<boolean>): Drawing {
  const { state, now, may, twin, askSun, touched } = desk;
  let wantedBlock: { width: number; depth: number; storeys: number; storey_m: number; turn_deg: number } | null = null;

  const draftOf = (points: Ring, cursor: XY | null, closed = false, height = 0, storey = STOREY_M): Draft => {
    const ring = cursor && !closed ? [...points, cursor] : points;
    const b = twin().bounds;
    const out = ring.find((p) => p[0] < b.xmin || p[0] > b.xmax || p[1] < b.ymin || p[1] > b.ymax);
    const trouble = out ?? (ring.length > 3 ? crossing(ring, closed) : null);
    const solid = closed ? { ...block(newDraft, points, height, storey), id: newDraft } : null;
    return { points, cursor, closed, height_m: height, storey_m: storey, trouble, outside: !!out, solid };
  };
  let newDraft = newId();

  function use(tool: ToolName): void {
    if (tool === now.tool) return;
    now.tool = tool;
    now.pinned = null;
    if (tool === "draw") {
      state.pick.selection = null;
      newDraft = newId();
      now.draft = draftOf([], null);
    } else if (now.draft) {
      now.draft = null;
      askSun();
    }
  }
  function close(): void {
    const draft = now.draft;
    if (!draft || draft.points.length < 3 || draft.closed) return;
    const { outside, trouble: at } = draftOf(draft.points, null);
    const trouble = crossing(draft.points) ?? (outside ? at : null);
    if (trouble || areaOf(draft.points) < 1) {
      now.draft = { ...draft, trouble, outside };
      return;
    }
    now.draft = draftOf(draft.points, null, true, 5 * draft.storey_m, draft.storey_m);
    touched();
  }

  return {
    use, close,
    corner(p) {
      const draft = now.draft;
      if (!draft || draft.closed) return;
      const last = draft.points.at(-1);
      // The second press of a double click says that this was the last corner.
      if (last && Math.hypot(p[0] - last[0], p[1] - last[1]) < 0.3) {
        close();
        return;
      }
      const points = [...draft.points, p];
      const next = draftOf(points, null, false, 0, draft.storey_m);
      const trouble = next.outside ? next.trouble : crossing(points, false);
      now.draft = trouble ? { ...draft, trouble, outside: next.outside } : next;
    },
    point(p) {
      const draft = now.draft;
      if (draft && !draft.closed) now.draft = draftOf(draft.points, p, false, 0, draft.storey_m);
    },
    back() {
      const draft = now.draft;
      if (!draft) return;
      if (draft.closed) {
        now.draft = draftOf(draft.points, null, false, 0, draft.storey_m);
        askSun();
      } else now.draft = draftOf(draft.points.slice(0, -1), draft.cursor, false, 0, draft.storey_m);
    },
    raise(height_m, wholeStoreys) {
      const draft = now.draft;
      if (!draft?.closed || !Number.isFinite(height_m)) return;
      now.draft = draftOf(draft.points, null, true, wholeStoreys ? whole(height_m, draft.storey_m) : clamp(height_m), draft.storey_m);
      touched();
    },
    draftStorey(storey_m) {
      if (now.draft && storey_m >= 2 && storey_m <= 20) now.draft = { ...now.draft, storey_m };
    },
    async finish() {
      const draft = now.draft;
      if (!draft?.solid) return;
      now.draft = null;
      now.tool = "choose";
      if (await add(draft.solid)) return;
      // Nothing that was drawn is lost because it was refused.
      now.tool = "draw";
      newDraft = draft.solid.id;
      now.draft = draft;
      askSun();
    },
    cancel() {
      now.draft = null;
      now.tool = "choose";
      now.pinned = null;
      askSun();
    },
    addRectangle(width, depth, storeys, storey_m, turn_deg) {
      wantedBlock = { width, depth, storeys, storey_m, turn_deg };
      now.wantMiddle++;
    },
    middle(p) {
      const wish = wantedBlock;
      wantedBlock = null;
      if (!wish || !may.value) return;
      const height = clamp(wish.storeys * wish.storey_m);
      const solid = block(newId(), rectangle(p, wish.width, wish.depth, wish.turn_deg), height, wish.storey_m);
      touched();
      void add(solid);
    },
  };
}
