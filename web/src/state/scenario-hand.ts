// A building in the hand: taken, pulled, dragged, turned, copied, removed, and let go.
import type { PlanOp } from "../api/plan";
import type { Company } from "./scenario-company";
import type { Desk } from "./scenario-desk";
import { deeds, isNew } from "./scenario-journal";
import { addOp, clamp, opOf, whole } from "./scenario-ops";
import type { PlanRecord } from "./scenario-record";
import { footprintArea, heightOf, middleOf, mm, movedBy, newId, turnedBy, type Solid } from "./scenario-shape";
import type { Hand, Planning } from "./scenario-types";
import { flyTo } from "./store";

type Deeds = Pick<Planning, "take" | "choose" | "let" | "push" | "turn" | "heighten" | "set" | "remove" | "copy" | "show">;
export interface Hands extends Deeds {
  /** A key takes the building, does its step, and lets go when it rests. */
  nudge(work: () => void): boolean;
  add(solid: Solid, from?: string): Promise<boolean>;
}

export function createHands(desk: Desk, record: PlanRecord, company: Company): Hands {
  const { state, now, waiting, chosen, may, twin, frameOf, solidOf, setInForce, say, askSun, touched } = desk;
  const { write, baseOf } = record;
  const { hereNow } = company;
  let nudging: ReturnType<typeof setTimeout> | null = null;

  function change(hand: Hand): void {
    let solid = hand.from;
    if (hand.height_m !== solid.height_m) solid = heightOf(solid, hand.height_m);
    if (hand.turn_deg) solid = turnedBy(solid, hand.turn_deg);
    if (hand.move[0] || hand.move[1]) solid = movedBy(solid, ...hand.move);
    now.hand = { ...hand, solid, changed: true };
    touched();
  }
  function take(id: string): void {
    const from = solidOf(id);
    if (!from || !may.value) return;
    if (now.hand?.id === id) return;
    now.hand = { id, from, solid: from, move: [0, 0], turn_deg: 0, height_m: from.height_m, changed: false };
    hereNow();
  }
  async function letGo(keep: boolean): Promise<void> {
    const hand = now.hand;
    if (nudging) clearTimeout(nudging);
    nudging = null;
    if (!hand) return;
    if (!keep || !hand.changed) {
      now.hand = null;
      askSun();
      return;
    }
    const op = opOf(hand, setInForce(hand.id));
    if (Object.keys(op).length === 2) {
      now.hand = null;
      askSun();
      return;
    }
    waiting.solids = new Map([...waiting.solids, [hand.id, hand.solid]]);
    now.hand = null;
    const kept = await write([op]);
    if (kept) say(deeds(op, undefined)[0] ?? "set", hand.solid.name || hand.id, hand.solid.height_m);
    else {
      waiting.solids.delete(hand.id);
      now.edited = new Map(now.edited);
      askSun();
    }
  }
  function nudge(work: () => void): boolean {
    const id = chosen.value?.id;
    if (!id || !may.value) return false;
    take(id);
    work();
    if (nudging) clearTimeout(nudging);
    nudging = setTimeout(() => void letGo(true), 700);
    return true;
  }

  async function add(solid: Solid, from = ""): Promise<boolean> {
    waiting.solids = new Map([...waiting.solids, [solid.id, solid]]);
    now.edited = new Map(now.edited);
    choose(solid.id);
    const kept = await write([addOp(solid, from)]);
    if (kept) say(from ? "copy" : "add", solid.name || solid.id, solid.height_m);
    else {
      waiting.solids.delete(solid.id);
      now.edited = new Map(now.edited);
      state.pick.selection = null;
    }
    return kept;
  }

  function choose(id: string): void {
    const solid = solidOf(id);
    const [x, y] = solid ? middleOf(solid) : [0, 0];
    const [lon, lat] = solid ? frameOf().toLonLat(x, y) : [twin().home.lon, twin().home.lat];
    state.pick.selection = { id, layer: isNew(id) ? "plan" : "buildings", lon, lat, feature: null };
  }

  return {
    take, choose, nudge, add,
    let: letGo,
    push(east, north) {
      const hand = now.hand;
      if (hand) change({ ...hand, move: [mm(east), mm(north)] });
    },
    turn(deg, by) {
      const hand = now.hand;
      if (!hand) return;
      let d = ((deg % 360) + 540) % 360 - 180;
      d = by ? Math.round(d / by) * by : Math.round(d * 10) / 10;
      change({ ...hand, turn_deg: d });
    },
    heighten(height_m, wholeStoreys) {
      const hand = now.hand;
      if (hand && Number.isFinite(height_m)) change({ ...hand, height_m: wholeStoreys ? whole(height_m, hand.from.storey_m) : clamp(height_m) });
    },
    async set(fields) {
      const solid = chosen.value;
      if (!solid || !may.value) return;
      const had = setInForce(solid.id);
      const op: PlanOp = { op: "set", object: solid.id };
      if (fields.height_m !== undefined && Number.isFinite(fields.height_m)) op["height_m"] = clamp(fields.height_m);
      if (fields.storey_m !== undefined && Number.isFinite(fields.storey_m)) op["storey_m"] = Math.min(20, Math.max(2, mm(fields.storey_m)));
      if (fields.name !== undefined) op["name"] = fields.name;
      if (fields.function) op["function"] = fields.function;
      if (fields.move) {
        const [e0, n0] = (had?.["move"] as [number, number] | undefined) ?? [0, 0];
        op["move"] = [mm(e0 + fields.move[0]), mm(n0 + fields.move[1])];
      }
      if (fields.turn_deg) op["turn_deg"] = ((Number(had?.["turn_deg"] ?? 0) + fields.turn_deg + 540) % 360) - 180;
      if (Object.keys(op).length === 2) return;
      if (state.looks.mode === "shadow" && !("name" in op)) touched();
      if (await write([op])) say(deeds(op, had)[0] ?? "set", solid.name || solid.id, Number(op["height_m"] ?? solid.height_m));
    },
    async remove() {
      const solid = chosen.value;
      if (!solid || !may.value) return;
      if (await write([{ op: "remove", object: solid.id }])) {
        if (isNew(solid.id)) state.pick.selection = null;
        touched();
        say("remove", solid.name || solid.id);
      }
    },
    async copy() {
      const solid = chosen.value;
      if (!solid || !may.value) return;
      // Beside itself, along its own breadth: seen at once, and rarely on top of something.
      const xs = solid.parts.flatMap((p) => p.outline.map((c) => c[0]));
      const step = Math.max(...xs) - Math.min(...xs) + 8;
      touched();
      await add({ ...movedBy(solid, step, 0), id: newId(), name: solid.name ? `${solid.name}′` : "" }, solid.id);
    },
    show(id) {
      const solid = solidOf(id);
      if (solid) {
        const [lon, lat] = frameOf().toLonLat(...(middleOf(solid) as [number, number]));
        flyTo(state, lon, lat, solid.height_m, Math.max(320, solid.height_m * 3, Math.sqrt(footprintArea(solid)) * 6));
        choose(id);
        return;
      }
      void baseOf(id).then((object) => {
        if (object?.lon == null || object.lat == null) return;
        flyTo(state, object.lon, object.lat, object.building?.height.value_m ?? 0, 420);
        state.pick.selection = { id, layer: "buildings", lon: object.lon, lat: object.lat, feature: null };
      });
    },
  };
}
