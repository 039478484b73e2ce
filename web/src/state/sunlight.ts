import { shallowReactive, watch } from "vue";
import type { Arrays } from "../api/arrays";
import type { Names } from "../api/types";
import type { Clock } from "./clock";
import { told, type Basis, type State } from "./store";

/** An edit of the city that the sun is asked about; lengths in metres. */
export type SunEdit = { op: string; object: string } & Record<string, unknown>;

/** Bits of a facade point. */
export const PASSES = 1;
export const PASSED = 2;
export const NEAR = 4;
export const CANNOT = 8;
export const GONE = 16;

export interface Counts { points: number; pass: number; fail: number; newly_fail: number; newly_pass: number; near: number; cannot: number }
export interface GridHead { origin_x: number; origin_y: number; cell_m: number; rows: number; cols: number; window: [number, number, number, number] }

/** The answer in force: base arrays with the edit's window laid over them. Arrays change in place; `version` tells when. */
export interface Sunlight {
  readonly now: {
    version: number;
    /** Whether the base of this date and clock is here. */
    ready: boolean;
    /** A question is on its way. */
    busy: boolean;
    counts: Counts | null;
    error: { ground_minutes: number; crossing_minutes: number; statement?: Names } | null;
    affected_km2: number | null;
    stepMinutes: number;
    steps: number;
    serverMs: number | null;
    answerMs: number | null;
    paintedMs: number | null;
    /** What the answer takes for done, or null. */
    edits: SunEdit[] | null;
    rule: Record<string, unknown> | null;
  };
  readonly data: SunData | null;
  /** Asks what edits do; one question at a time, the latest wins. `null` puts everything back. */
  ask(edits: SunEdit[] | null): void;
  /** Loads the base if it is not here. */
  need(): void;
  /** The scene tells that the answer is on the screen. */
  painted(version: number): void;
}

export interface SunData {
  grid: GridHead;
  base: Uint8Array;
  steps: Uint8Array;
  /** Rows and columns that changed with the last version: [row, col, rows, cols]. */
  touched: [number, number, number, number][];
  origin: { x: number; y: number; z: number };
  xyz: Float32Array;
  normal: Float32Array;
  building: Uint16Array;
  buildings: string[];
  baseState: Uint8Array;
  state: Uint8Array;
  minutes: Uint16Array;
  run: Uint16Array;
  extraXyz: Float32Array;
  extraState: Uint8Array;
}

const empty = { f4: new Float32Array(0), u1: new Uint8Array(0), u2: new Uint16Array(0), u4: new Uint32Array(0) };

function readBase(answer: Arrays): SunData {
  const { header, arrays } = answer;
  const grid = header["grid"] as GridHead;
  const origin = (header["origin"] ?? {}) as Record<string, number> | number[];
  const [ox, oy, oz] = Array.isArray(origin) ? origin : [origin["x"], origin["y"], origin["z"] ?? origin["height_m"]];
  const base = arrays["sun_steps"] as Uint8Array;
  const state = (arrays["facade_state"] as Uint8Array | undefined) ?? empty.u1;
  return {
    grid,
    base: base.slice(),
    steps: base.slice(),
    touched: [[0, 0, grid.rows, grid.cols]],
    origin: { x: ox ?? grid.origin_x, y: oy ?? grid.origin_y, z: oz ?? 0 },
    xyz: (arrays["facade_xyz"] as Float32Array | undefined) ?? empty.f4,
    normal: (arrays["facade_normal"] as Float32Array | undefined) ?? empty.f4,
    building: (arrays["facade_building"] as Uint16Array | undefined) ?? empty.u2,
    buildings: (header["buildings"] as string[] | undefined) ?? [],
    baseState: state.slice(),
    state: state.slice(),
    minutes: (arrays["facade_minutes"] as Uint16Array | undefined) ?? empty.u2,
    run: (arrays["facade_run"] as Uint16Array | undefined) ?? empty.u2,
    extraXyz: empty.f4,
    extraState: empty.u1,
  };
}

type Window = [number, number, number, number];

function copyWindow(from: Uint8Array, fromCols: number, fromRow: number, fromCol: number, to: Uint8Array, toCols: number, w: Window): void {
  const [row0, col0, rows, cols] = w;
  for (let r = 0; r < rows; r++) {
    const start = (fromRow + r) * fromCols + fromCol;
    to.set(from.subarray(start, start + cols), (row0 + r) * toCols + col0);
  }
}

/** Lays an edit's answer over the base; whatever the last edit had changed goes back first. Exported for its test. */
export function layOver(data: SunData, answer: Arrays | null, last: { window: Window | null; index: Uint32Array }): { window: Window | null; index: Uint32Array } {
  const cols = data.grid.cols;
  data.touched = [];
  if (last.window) {
    copyWindow(data.base, cols, last.window[0], last.window[1], data.steps, cols, last.window);
    data.touched.push(last.window);
  }
  for (const i of last.index) data.state[i] = data.baseState[i]!;
  data.extraXyz = empty.f4;
  data.extraState = empty.u1;
  if (!answer) return { window: null, index: empty.u4 };
  const window = (answer.header["grid"] as GridHead).window;
  const sun = answer.arrays["sun_steps"] as Uint8Array | undefined;
  if (sun && window[2] * window[3] > 0) {
    copyWindow(sun, window[3], 0, 0, data.steps, cols, window);
    data.touched.push(window);
  }
  const states = (answer.arrays["facade_state"] as Uint8Array | undefined) ?? empty.u1;
  const index = (answer.arrays["facade_index"] as Uint32Array | undefined) ?? Uint32Array.from(states.keys());
  index.forEach((point, i) => {
    data.state[point] = states[i]!;
  });
  data.extraXyz = (answer.arrays["extra_xyz"] as Float32Array | undefined) ?? empty.f4;
  data.extraState = (answer.arrays["extra_state"] as Uint8Array | undefined) ?? empty.u1;
  return { window: sun ? window : null, index };
}

export function createSunlight(state: State, clock: Clock): Sunlight {
  const now = shallowReactive<Sunlight["now"]>({
    version: 0, ready: false, busy: false, counts: null, error: null, affected_km2: null, stepMinutes: 7, steps: 69,
    serverMs: null, answerMs: null, paintedMs: null, edits: null, rule: null,
  });
  let data: SunData | null = null;
  let baseHeader: Arrays["header"] | null = null;
  let last: { window: Window | null; index: Uint32Array } = { window: null, index: empty.u4 };
  let epoch = 0;
  let flying = false;
  let wanted: SunEdit[] | null | undefined;
  let wantBase = false;
  let moved = 0;

  const key = () => ({ twin: state.twins.current, date: clock.at.date, basis: clock.at.basis as Basis });

  function settle(header: Arrays["header"], asked: number): void {
    now.counts = (header["counts"] as Counts | undefined) ?? now.counts;
    now.error = (header["error"] as Sunlight["now"]["error"]) ?? null;
    now.affected_km2 = (header["affected_km2"] as number | undefined) ?? null;
    now.rule = (header["rule"] as Record<string, unknown> | undefined) ?? null;
    now.stepMinutes = (header["step_minutes"] as number | undefined) ?? now.stepMinutes;
    now.steps = (header["steps"] as number | undefined) ?? now.steps;
    const time = header["time_ms"] as Record<string, number> | number | undefined;
    now.serverMs = typeof time === "number" ? time : (time?.["all"] ?? time?.["total"] ?? null);
    now.answerMs = performance.now() - asked;
    now.paintedMs = null;
    moved = asked;
    now.version++;
  }

  async function work(): Promise<void> {
    if (flying) return;
    flying = true;
    try {
      for (;;) {
        const { twin, date, basis } = key();
        if (!twin || !twin.sunlight || !date) return;
        const mine = epoch;
        if (!data) {
          if (!wantBase && !wanted) return;
          now.busy = true;
          const asked = performance.now();
          const answer = await told(state, () => state.api.sunlight(twin.id, { date, time_basis: basis, edits: [] }));
          if (mine !== epoch) continue;
          if (!answer) return;
          data = readBase(answer);
          baseHeader = answer.header;
          last = { window: null, index: empty.u4 };
          now.ready = true;
          now.edits = null;
          settle(answer.header, asked);
          continue;
        }
        if (wanted === undefined) return;
        const edit = wanted;
        wanted = undefined;
        const asked = performance.now();
        if (edit === null) {
          last = layOver(data, null, last);
          now.edits = null;
          settle(baseHeader!, asked);
          now.serverMs = null;
          now.answerMs = null;
          continue;
        }
        now.busy = true;
        const answer = await told(state, () => state.api.sunlight(twin.id, { date, time_basis: basis, edits: edit }));
        if (mine !== epoch) {
          if (wanted === undefined) wanted = edit;
          continue;
        }
        if (!answer || !data) return;
        last = layOver(data, answer, last);
        now.edits = edit;
        settle(answer.header, asked);
      }
    } finally {
      flying = false;
      now.busy = false;
    }
  }

  watch(
    () => [state.twins.current, clock.at.date, clock.at.basis] as const,
    () => {
      const again = now.ready || wantBase;
      epoch++;
      data = null;
      if (wanted === undefined && now.edits) wanted = now.edits;
      now.ready = false;
      now.version++;
      if (again && state.twins.current?.sunlight) {
        wantBase = true;
        // The date slider moves through many days: ask when it rests.
        const mine = epoch;
        setTimeout(() => mine === epoch && void work(), 250);
      }
    },
  );

  return {
    now,
    get data() {
      return data;
    },
    ask(edits) {
      wanted = edits;
      if (edits) wantBase = true;
      void work();
    },
    need() {
      wantBase = true;
      void work();
    },
    painted(version) {
      if (version === now.version && now.paintedMs === null && moved) now.paintedMs = performance.now() - moved;
    },
  };
}
