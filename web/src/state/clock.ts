import { computed, reactive, shallowReactive, watch, type ComputedRef } from "vue";
import type { SunDay } from "../api/types";
import type { Basis, State } from "./store";
import { told } from "./store";

/** The window of the day that Korean practice looks at, in minutes. */
export const DAY_START = 8 * 60;
export const DAY_END = 16 * 60;
/** Seconds one sweep of the window takes. */
const SWEEP_S = 26;

export interface SunPath {
  /** Minutes of each moment on the two clocks. */
  civil: number[];
  solar: number[];
  azimuth: number[];
  altitude: number[];
  sunrise: string | null;
  sunset: string | null;
}

export interface Clock {
  readonly at: { date: string; minute: number; basis: Basis; playing: boolean };
  readonly path: { now: SunPath | null };
  /** Sun at the clock's minute: degrees from true north clockwise, degrees above the horizon. */
  readonly sun: ComputedRef<{ azimuth: number; altitude: number } | null>;
  /** Altitude at 09:00 on each clock: both are shown, they differ. */
  readonly nine: ComputedRef<{ solar: number; civil: number } | null>;
  /** Moves the clock by the seconds gone by, if it plays. */
  tick(seconds: number): void;
}

/** Minutes of the day in "2026-12-22T09:10:00+09:00", "2026-12-22 09:10", "09:10" or "09:10:30". */
export function minuteOf(text: string): number {
  const found = /(?:T|^|\s)(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?/.exec(text);
  if (!found) return Number.NaN;
  return Number(found[1]) * 60 + Number(found[2]) + Number(found[3] ?? 0) / 60;
}

function readPath(answer: SunDay): SunPath {
  const moments = answer.positions;
  const unwrapped = (all: number[]) => {
    // A clock may pass midnight within the list; keep it rising so that it can be searched.
    const out: number[] = [];
    for (const m of all) out.push(out.length && m < out[out.length - 1]! - 720 ? m + 1440 : m);
    return out;
  };
  return {
    civil: unwrapped(moments.map((m) => minuteOf(m.time_local))),
    solar: unwrapped(moments.map((m) => minuteOf(m.time_solar))),
    azimuth: moments.map((m) => m.azimuth_deg),
    altitude: moments.map((m) => m.altitude_deg),
    sunrise: answer.sunrise,
    sunset: answer.sunset,
  };
}

/** The sun between two moments of the path, along the great circle (the path is sampled every ten minutes). */
export function sunAt(path: SunPath, basis: Basis, minute: number): { azimuth: number; altitude: number } | null {
  const clock = path[basis];
  if (clock.length < 2) return null;
  let m = minute;
  if (m < clock[0]! && m + 1440 <= clock[clock.length - 1]!) m += 1440;
  let i = clock.findIndex((t) => t > m);
  if (i === -1) i = clock.length - 1;
  if (i === 0) i = 1;
  const w = Math.min(1, Math.max(0, (m - clock[i - 1]!) / (clock[i]! - clock[i - 1]!)));
  const unit = (j: number) => {
    const az = (path.azimuth[j]! * Math.PI) / 180;
    const al = (path.altitude[j]! * Math.PI) / 180;
    return [Math.sin(az) * Math.cos(al), Math.cos(az) * Math.cos(al), Math.sin(al)] as const;
  };
  const p = unit(i - 1);
  const q = unit(i);
  const [x, y, z] = [0, 1, 2].map((k) => p[k]! * (1 - w) + q[k]! * w) as [number, number, number];
  const azimuth = (Math.atan2(x, y) * 180) / Math.PI;
  return { azimuth: (azimuth + 360) % 360, altitude: (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI };
}

export function createClock(state: State, start: { date: string | null; minute: number | null; basis: Basis }): Clock {
  const at = reactive({
    date: start.date ?? "",
    minute: start.minute ?? DAY_START + 30,
    basis: start.basis,
    playing: start.minute === null && !state.looks.reducedMotion,
  });
  const path = shallowReactive<{ now: SunPath | null }>({ now: null });
  watch(
    () => state.twins.current,
    (twin) => {
      if (twin && !at.date) at.date = twin.day;
    },
    { flush: "sync" },
  );
  let asked = 0;
  watch(
    () => [state.twins.current, at.date] as const,
    async ([twin, date]) => {
      if (!twin || twin.kind !== "city3d" || !date) return;
      const mine = ++asked;
      const answer = await told(state, () => state.api.sun(twin.id, date, "solar"));
      if (answer && mine === asked) path.now = readPath(answer);
    },
  );
  return {
    at,
    path,
    sun: computed(() => (path.now ? sunAt(path.now, at.basis, at.minute) : null)),
    nine: computed(() => {
      if (!path.now) return null;
      const solar = sunAt(path.now, "solar", 540);
      const civil = sunAt(path.now, "civil", 540);
      return solar && civil ? { solar: solar.altitude, civil: civil.altitude } : null;
    }),
    tick(seconds) {
      if (!at.playing) return;
      const next = at.minute + (seconds * (DAY_END - DAY_START)) / SWEEP_S;
      at.minute = next >= DAY_END || next < DAY_START ? DAY_START : next;
    },
  };
}
