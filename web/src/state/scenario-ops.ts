// What the server says of buildings as the plan draws them, and what the hand did as edits. Pure.
import type { PlanObject, PlanOp } from "../api/plan";
import type { ObjectAnswer } from "../api/types";
import { HIGHEST_M, mm, signedArea, STOREY_M, type Part, type Ring, type Solid, type XY } from "./scenario-shape";
import { isNew } from "./scenario-journal";
import type { Hand } from "./scenario-types";

const open = (ring: readonly (readonly number[])[]): Ring => {
  const out = ring.map((p): XY => [p[0]!, p[1]!]);
  const [a, b] = [out[0], out[out.length - 1]];
  return out.length > 1 && a && b && Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-6 ? out.slice(0, -1) : out;
};
const wound = (ring: Ring): Ring => (signedArea(ring) < 0 ? [...ring].reverse() : ring);

/** The building of the server's answer to a click, as the plan draws it. */
export function solidOfObject(object: ObjectAnswer): Solid | null {
  const building = object.building;
  if (!building) return null;
  return {
    id: object.id,
    height_m: building.height.value_m,
    storey_m: building.storeys.storey_m ?? STOREY_M,
    name: object.names.ko || object.names.en || "",
    function: object.function ?? "",
    parts: building.parts.flatMap((part) =>
      part.rings.map((rings): Part => ({
        outline: wound(open(rings[0] ?? [])),
        holes: rings.slice(1).map(open),
        base_m: part.base_m,
        eave_m: part.eave_m,
        top_m: part.top_m,
        roof_shape: part.roof_shape,
        roof_direction_deg: part.roof_direction_deg,
      })),
    ),
  };
}

/** A building of the plan, as the server has it. */
export function solidOfPlan({ id, properties: p }: PlanObject): Solid {
  return {
    id, height_m: p.height_m, storey_m: p.storey_m ?? STOREY_M, name: p.name ?? "", function: p.function ?? "",
    parts: p.parts.map((part) => ({ ...part, outline: wound(open(part.outline)), holes: part.holes.map(open) })),
  };
}

const partOp = (p: Part) => ({
  outline: p.outline.map(([x, y]) => [mm(x), mm(y)]), holes: p.holes.map((h) => h.map(([x, y]) => [mm(x), mm(y)])),
  base_m: mm(p.base_m), eave_m: mm(p.eave_m), top_m: mm(p.top_m), roof_shape: p.roof_shape, roof_direction_deg: p.roof_direction_deg,
});
/** The edit that adds a building. */
export function addOp(solid: Solid, from: string): PlanOp {
  const id = isNew(solid.id) ? solid.id : "new/00000000";
  return { op: "add", object: id, parts: solid.parts.map(partOp), storey_m: mm(Math.min(20, Math.max(2, solid.storey_m))), ...(solid.name ? { name: solid.name } : {}), ...(from ? { from } : {}) };
}
/** What the hand did, counted from where the building stood before any `set`. */
export function opOf(hand: Hand, had: PlanOp | undefined): PlanOp {
  const [e0, n0] = (had?.["move"] as [number, number] | undefined) ?? [0, 0];
  const op: PlanOp = { op: "set", object: hand.id };
  if (hand.move[0] || hand.move[1]) op["move"] = [mm(e0 + hand.move[0]), mm(n0 + hand.move[1])];
  if (hand.turn_deg) {
    const whole = (((Number(had?.["turn_deg"] ?? 0) + hand.turn_deg) % 360) + 360) % 360;
    op["turn_deg"] = Math.round((whole > 180 ? whole - 360 : whole) * 10) / 10;
  }
  if (hand.height_m !== hand.from.height_m) op["height_m"] = hand.height_m;
  return op;
}


/** A height that may be, to a decimetre. */
export const clamp = (h: number) => Math.round(Math.min(HIGHEST_M, Math.max(1, h)) * 10) / 10;
/** The nearest height of whole storeys. */
export const whole = (h: number, storey: number) => clamp(Math.max(1, Math.round(h / storey)) * storey);
