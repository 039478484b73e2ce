import { shallowReactive, watch } from "vue";
import type { Edit, ObjectAnswer } from "../api/types";
import type { Clock } from "./clock";
import { told, type State } from "./store";
import type { Sunlight } from "./sunlight";

/** The selected thing as the server tells it; of a building, its height in the hand. */
export interface Held {
  readonly now: {
    id: string | null;
    /** The server's whole answer (`GET /objects/{id}`), or null while it comes or when there is none. */
    object: ObjectAnswer | null;
    loading: boolean;
    /** Height before any edit, metres above the ground. */
    height: number;
    /** Height in the hand; equal to `height` when nothing is edited. */
    wanted: number;
  };
  /** Sets the height in the hand and asks for its sun. */
  pull(height_m: number): void;
  /** Puts the building back as it is. */
  reset(): void;
}

/** How far a building can be pulled, metres. */
export const HIGHEST = 700;

export function createHeld(state: State, clock: Clock, sunlight: Sunlight, first: Edit | null): Held {
  const now = shallowReactive<Held["now"]>({ id: null, object: null, loading: false, height: 0, wanted: 0 });
  let pending = first;
  let edited = false;

  const put = () => {
    now.wanted = now.height;
    if (edited) sunlight.ask(null);
    edited = false;
  };

  watch(
    () => state.pick.selection,
    async (selection) => {
      const id = selection?.id || null;
      if (id === now.id) return;
      put();
      now.id = id;
      now.object = null;
      now.height = now.wanted = 0;
      const twin = state.twins.current;
      // What a plan adds is known to the plan alone.
      if (!id || !twin || selection?.layer === "plan") return;
      now.loading = true;
      const object = await (selection!.feature
        ? state.api.object(twin.id, id).catch(() => undefined) // its own properties are already here
        : told(state, () => state.api.object(twin.id, id)));
      if (now.id !== id) return;
      now.loading = false;
      if (!object) return;
      now.height = now.wanted = object.building?.height.value_m ?? 0;
      now.object = object;
      if (!object.building) return;
      if (pending && pending.object === id) held.pull(pending.height_m);
      pending = null;
    },
  );
  watch(
    () => state.twins.current,
    () => {
      edited = false;
    },
  );

  const held: Held = {
    now,
    pull(height_m) {
      if (!now.id || !now.object?.building || !Number.isFinite(height_m)) return;
      const height = Math.round(Math.min(HIGHEST, Math.max(0, height_m)) * 10) / 10;
      if (height === now.wanted) return;
      now.wanted = height;
      // A hand on a building asks whose sun it takes: the ground answers, and the day stands still for it.
      if (state.looks.mode === "shadow") state.looks.mode = "hours";
      clock.at.playing = false;
      edited = height !== now.height;
      sunlight.ask(edited ? [{ op: "set", object: now.id, height_m: height }] : null);
    },
    reset: put,
  };
  return held;
}
