import { watch } from "vue";
import { setToken } from "../api/client";
import { planApi } from "../api/plan";
import type { Clock } from "./clock";
import type { Held } from "./object";
import { createCompany } from "./scenario-company";
import { createDesk } from "./scenario-desk";
import { createDrawing } from "./scenario-drawing";
import { createHands } from "./scenario-hand";
import { createMatters } from "./scenario-matters";
import { createRecord } from "./scenario-record";
import type { Planning } from "./scenario-types";
import type { State } from "./store";
import type { Sunlight } from "./sunlight";

export type { Comment, Line, Planning } from "./scenario-types";

const all = new WeakMap<State, Planning>();

/** The planning of a page: made once. */
export function planningOf(state: State, clock: Clock, sunlight: Sunlight, held: Held): Planning {
  let one = all.get(state);
  if (!one) all.set(state, (one = createPlanning(state, clock, sunlight, held)));
  return one;
}

function createPlanning(state: State, clock: Clock, sunlight: Sunlight, held: Held): Planning {
  const desk = createDesk(state, clock, sunlight, held);
  const { now, drawn, chosen, may, lines, step, twin, solidOf, say, told, author, askSun } = desk;
  const record = createRecord(desk);
  const { read, takeEntries, pinComments, findings, write } = record;
  const company = createCompany(desk, record);
  const { listen, hereNow } = company;
  const hands = createHands(desk, record, company);
  const { nudge } = hands;
  const drawing = createDrawing(desk, hands.add);

  async function refresh(): Promise<void> {
    const id = twin().id;
    const [me, list] = await Promise.all([planApi.me(id).catch(() => null), told(() => planApi.list(id))]);
    if (!state.twins.current || twin().id !== id) return;
    now.me = me;
    if (list) {
      now.list = list;
      now.listed = true;
    }
  }
  function shut(): void {
    company.leave();
    now.head = null;
    now.entries = [];
    now.edited = new Map();
    now.gone = new Set();
    now.ghosts = new Map();
    now.findings = null;
    now.comments = [];
    now.pins = [];
    now.people = [];
    now.live = false;
    now.hand = null;
    now.draft = null;
    now.tool = "choose";
    now.conflict = null;
    now.approval = null;
    now.importing = null;
    now.imported = null;
    record.forget();
    state.plan.current = null;
    askSun();
  }

  const planning: Planning = {
    now, drawn, chosen, may, lines, steps: step, solidOf, refresh, findings,
    ...hands,
    ...drawing,
    ...createMatters(desk, record, hands, refresh),
    async open(id) {
      if (now.head && now.head.id === id) return;
      shut();
      state.plan.wanted = id;
      if (!id) return;
      const head = await told(() => planApi.get(twin().id, id));
      if (!head) return;
      now.head = head;
      await told(async () => {
        const [, comments] = await Promise.all([read(), planApi.comments(twin().id, id)]);
        takeEntries(comments);
        pinComments();
      });
      if (now.head?.id !== id) return;
      listen(id);
      void findings();
    },
    async create(name) {
      const head = await told(() => planApi.create(twin().id, { name, author: author() }));
      if (!head) return;
      now.list = [head, ...now.list];
      await planning.open(head.id);
      say("created", head.name);
    },
    async branch(name) {
      const from = now.head;
      if (!from) return;
      const head = await told(() => planApi.branch(twin().id, from.id, { name, author: author() }));
      if (!head) return;
      now.list = [head, ...now.list];
      await planning.open(head.id);
      say("branched", head.name);
    },
    async rename(name) {
      const head = now.head;
      if (!head || !name.trim() || name === head.name) return;
      await told(() => planApi.change(twin().id, head.id, { name: name.trim(), author: author() }));
      await read().catch(() => undefined);
      now.list = now.list.map((one) => (one.id === head.id && now.head ? now.head : one));
    },
    async withdraw() {
      const head = now.head;
      if (!head) return;
      const done = await told(async () => {
        await planApi.withdraw(twin().id, head.id, author());
        return true;
      });
      if (!done) return;
      shut();
      await refresh();
    },
    async signIn(token) {
      setToken(token.trim());
      const me = await planApi.me(twin().id).catch(() => null);
      if (!me || me.kind === "anyone") {
        setToken(null);
        now.signedIn = false;
        return false;
      }
      now.me = me;
      now.signedIn = true;
      hereNow();
      return true;
    },
    async signOut() {
      setToken(null);
      now.signedIn = false;
      now.me = await planApi.me(twin().id).catch(() => null);
      hereNow();
    },
    setAuthor(name) {
      now.author = name;
      desk.remember(name);
      hereNow();
    },
    async undo() {
      const entry = step.value.undo;
      if (entry && may.value && (await write([], [entry.seq]))) say("undo", entry.object);
    },
    async redo() {
      const entry = step.value.redo;
      if (entry && may.value && (await write([], [entry.seq]))) say("redo", entry.object);
    },
    async takeBack(seq) {
      if (may.value && (await write([], [seq]))) say("undo");
    },
    key(event) {
      const { draft } = now;
      const by = event.shiftKey ? 10 : 1;
      if (event.key === "Escape") {
        if (draft || now.tool !== "choose") planning.cancel();
        else if (now.hand) void hands.let(false);
        else if (state.pick.selection) state.pick.selection = null;
        else return false;
        return true;
      }
      if (draft) {
        if (event.key === "Enter") draft.closed ? void planning.finish() : drawing.close();
        else if (event.key === "Backspace" || event.key === "Delete") planning.back();
        else if (draft.closed && event.key === "ArrowUp") planning.raise(draft.height_m + draft.storey_m * (event.shiftKey ? 5 : 1), false);
        else if (draft.closed && event.key === "ArrowDown") planning.raise(draft.height_m - draft.storey_m * (event.shiftKey ? 5 : 1), false);
        else return planning.globalKey(event);
        return true;
      }
      const solid = chosen.value;
      if (!solid) return planning.globalKey(event);
      const arrows: Record<string, [number, number]> = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
      const arrow = arrows[event.key];
      if (arrow && event.altKey) return nudge(() => planning.push(now.hand!.move[0] + arrow[0] * by, now.hand!.move[1] + arrow[1] * by));
      if (event.key === "ArrowUp" || event.key === "ArrowDown") return nudge(() => planning.heighten(now.hand!.height_m + arrow![1] * by, false));
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") return nudge(() => planning.turn(now.hand!.turn_deg + arrow![0] * (event.shiftKey ? 1 : 5), 0));
      if (event.key === "Delete" || event.key === "Backspace") {
        void planning.remove();
        return true;
      }
      return planning.globalKey(event);
    },
    globalKey(event) {
      if (!now.head || !(event.ctrlKey || event.metaKey)) return false;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) void planning.undo();
      else if (key === "y" || (key === "z" && event.shiftKey)) void planning.redo();
      else if (key === "d" && chosen.value) void planning.copy();
      else return false;
      return true;
    },
  };

  watch(
    () => state.pick.selection?.id,
    () => {
      if (now.hand && now.hand.id !== state.pick.selection?.id) void hands.let(true);
      if (now.head) hereNow();
    },
  );
  watch(
    () => state.twins.current,
    () => {
      shut();
      state.plan.wanted = null;
      desk.forgetFrame();
      record.forget(true);
      now.list = [];
      now.listed = false;
    },
    { flush: "sync" },
  );
  // The column that is put away puts the plan away with it; opened again, it is there again.
  watch(
    () => state.plan.open,
    (on) => {
      if (on) return;
      state.plan.wanted = now.head?.id ?? null;
      shut();
    },
  );
  addEventListener("pagehide", () => {
    company.farewell();
  });
  return planning;
}
