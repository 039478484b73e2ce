// The delivery plan of a twin as the page works on it: what is asked, the run, the plan that stands, the one before it and what changed.
import { reactive, shallowRef, watch, type ShallowRef } from "vue";
import { produceApi } from "../api/produce";
import { resultApi, type Json } from "../api/result";
import { ended, type Followed } from "./jobs";
import { line } from "./exchange-room";
import { changesOf, readBalance, readDelivery, readLoad, readUnmet, withinDays, type Changed, type DeliveryPlan, type Proven } from "./produce-plan";
import { describe, dismiss, problemOf, run, runsOf, type Run } from "./runs";

export const OUTPUTS = ["deliveries", "loads", "unmet", "balance"] as const;
export type PlanLayers = Record<(typeof OUTPUTS)[number], string>;
/** What is kept of a plan with its event. */
export interface Kept { job: string; layers: PlanLayers; made: string }

export interface PlanDesk {
  readonly twin: string;
  /** Which event it is for; empty for none. */
  event: string;
  kept: Kept | null;
  plan: DeliveryPlan | null;
  before: DeliveryPlan | null;
  changes: Changed[];
  /** The lot for whose failing it was planned anew. */
  because: string;
  job: Followed | null;
  busy: boolean;
  trouble: string;
  /** What the process takes by itself, and the limits of its inputs. */
  usual: Record<string, number>;
}

const desks = new Map<string, PlanDesk>();
const going = new Map<string, ShallowRef<Run | null>>();
export function planOf(twin: string): PlanDesk {
  let desk = desks.get(twin);
  if (!desk) {
    desk = reactive<PlanDesk>({ twin, event: "", kept: null, plan: null, before: null, changes: [], because: "", job: null, busy: false, trouble: "", usual: {} }) as PlanDesk;
    desks.set(twin, desk);
    going.set(twin, shallowRef(null));
  }
  return desk;
}

/** What the process says that it takes where nothing is said. */
export async function readUsual(desk: PlanDesk): Promise<void> {
  const about = await describe(runsOf(desk.twin), "deliveries", "en");
  const found: Record<string, number> = {};
  for (const [name, one] of Object.entries(about?.inputs ?? {})) if (typeof one.schema.default === "number") found[name] = one.schema.default;
  desk.usual = found;
}

const object = (v: Json | undefined): Record<string, Json> => (v && typeof v === "object" && !Array.isArray(v) ? v : {});
const numeric = (v: Json | undefined): number | null => (typeof v === "number" && Number.isFinite(v) ? v : null);
/** What the solver proved, wherever in the answer it stands: beside the outputs or in a step of their provenance. */
export function provenIn(said: Json | undefined, depth = 0): Proven | null {
  if (!said || typeof said !== "object" || depth > 8) return null;
  if (!Array.isArray(said) && "proven_gap" in said) {
    const one = object(said);
    return { gap: numeric(one["proven_gap"]), bound: numeric(one["bound_krw"]), objective: numeric(one["objective_krw"]), seconds: numeric(one["seconds"]), status: typeof one["status"] === "string" ? one["status"] : "" };
  }
  for (const inner of Array.isArray(said) ? said : Object.values(said)) {
    const found = provenIn(inner, depth + 1);
    if (found) return found;
  }
  return null;
}

/** A moment to the second, as events write it. */
export function wholeSecond(said: string | null | undefined): string {
  const at = Date.parse(said ?? "");
  return `${new Date(Number.isNaN(at) ? Date.now() : at).toISOString().slice(0, 19)}+00:00`;
}

/** Reads the rows of a plan's layers. */
export async function readPlan(twin: string, kept: Kept): Promise<DeliveryPlan> {
  const read = (layer: string) => (layer ? produceApi.layer(twin, layer) : Promise.resolve([]));
  const [deliveries, loads, unmet, balance, about] = await Promise.all([
    ...OUTPUTS.map((one) => read(kept.layers[one])),
    Promise.all([resultApi.collection(twin, kept.layers.deliveries), resultApi.manifest(twin, kept.job)]).catch(() => null),
  ] as const) as [Awaited<ReturnType<typeof read>>, Awaited<ReturnType<typeof read>>, Awaited<ReturnType<typeof read>>, Awaited<ReturnType<typeof read>>, Json[] | null];
  const found = provenIn(about ?? undefined);
  const took = numeric(object(object(about?.[1])["credentialSubject"])["seconds"]);
  return { deliveries: deliveries.map(readDelivery), loads: loads.map(readLoad), ...withinDays(unmet.map(readUnmet)), balance: balance.map(readBalance), proven: found && { ...found, seconds: found.seconds ?? took } };
}

/** Shows the plan that is kept with an event. */
export async function openKept(desk: PlanDesk, event: string, kept: Kept | null): Promise<void> {
  if (desk.event === event && desk.kept?.job === kept?.job) return;
  Object.assign(desk, { event, kept, plan: null, before: null, changes: [], because: "", trouble: "" });
  if (!kept) return;
  try {
    const plan = await readPlan(desk.twin, kept);
    if (desk.kept?.job === kept.job) desk.plan = plan;
  } catch (error) {
    desk.trouble = line(error);
  }
}

/** Plans: by itself, or touching as little as possible of the plan that stands. */
export async function plan(desk: PlanDesk, inputs: Record<string, unknown>, because = ""): Promise<boolean> {
  desk.busy = true;
  desk.trouble = "";
  const keep = because ? (desk.kept?.layers.deliveries ?? "") : "";
  try {
    const runs = runsOf(desk.twin);
    if (!runs.processes) runs.processes = await resultApi.processes(desk.twin, "en");
    const one = await run(runs, "deliveries", null, { ...inputs, ...(keep ? { keep } : {}) });
    going.get(desk.twin)!.value = one;
    desk.job = one.job;
    await new Promise<void>((done) => {
      const stop = watch(() => [one.job.status.status, one.outputs, one.trouble] as const, () => {
        if (ended(one.job.status) && (one.job.status.status !== "successful" || one.outputs?.length || one.trouble)) {
          queueMicrotask(() => stop());
          done();
        }
      }, { immediate: true });
    });
    if (one.job.status.status === "dismissed") return false;
    if (one.job.status.status !== "successful" || one.trouble) throw new Error(one.trouble || problemOf(one.job.status) || one.job.status.status);
    const layers = Object.fromEntries(OUTPUTS.map((name) => [name, one.outputs!.find((o) => o.output === name)?.layer ?? ""])) as PlanLayers;
    const kept = { job: one.id, layers, made: wholeSecond(one.job.status.finished) };
    const next = await readPlan(desk.twin, kept);
    const before = because ? desk.plan : null;
    Object.assign(desk, { kept, plan: next, before, because, changes: before ? changesOf(before.deliveries, next.deliveries) : [] });
    return true;
  } catch (error) {
    desk.trouble = line(error);
    return false;
  } finally {
    desk.busy = false;
    desk.job = null;
    going.get(desk.twin)!.value = null;
  }
}

/** Stops the run. */
export async function stop(desk: PlanDesk): Promise<void> {
  const one = going.get(desk.twin)?.value;
  if (!one) return;
  // What ends it for who waits: the job says so itself, or it is gone.
  one.job.status = { ...one.job.status, status: "dismissed" };
  await dismiss(runsOf(desk.twin), one);
}
