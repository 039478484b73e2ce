// What is asked of a twin from the page: runs of processes, verifications, reports. Lives with the room of results.
import { reactive, shallowReactive } from "vue";
import { ServerProblem } from "../api/client";
import { resultApi, type JobStatus, type ProcessAbout } from "../api/result";
import { ended, followJob, type Followed } from "./jobs";
import { bag, list, number, readVerdict, text, words, type Bag, type Verdict, type Words } from "./verify";

/** One layer that answers a run. */
export interface RunOutput {
  /** Its name in the process, and the layer that it is here. */
  output: string;
  layer: string;
  title: Words;
  shape: string;
  unit: string;
  error: number | null;
  content: string;
  count: number | null;
  bytes: number | null;
}

/** What a run is of: the scenario at a revision, or the city as it is. */
export interface Of { id: string; name: string; revision: number | null }

export interface Run {
  readonly id: string;
  readonly process: string;
  /** `null`: the city as it is. */
  readonly of: Of | null;
  readonly inputs: Record<string, unknown> | null;
  job: Followed;
  outputs: RunOutput[] | null;
  /** What was asked, all defaults filled; known with the outputs. */
  parameters: Bag | null;
  title: Words;
  /** What the method says of its error. */
  statement: Words;
  /** What the answer took when it was computed. */
  seconds: number | null;
  /** Why its results cannot be read. */
  trouble: string;
  stop(): void;
}

export interface Runs {
  readonly twin: string;
  processes: ProcessAbout[] | null;
  list: Run[];
  trouble: string;
}

const line = (error: unknown): string =>
  error instanceof ServerProblem ? (error.status === 0 ? "unreachable" : error.message) : String((error as Error).message ?? error);

const kept = new Map<string, Runs>();

/** The runs of a twin; one for as long as the page is open. */
export function runsOf(twin: string): Runs {
  let runs = kept.get(twin);
  if (!runs) {
    runs = reactive<Runs>({ twin, processes: null, list: [], trouble: "" }) as Runs;
    kept.set(twin, runs);
  }
  return runs;
}

/** Whether a process is about the city: it needs layers of it. */
export const ofTheCity = (process: ProcessAbout): boolean => !process.keywords || process.keywords.length > 0;

/** Reads what processes there are and what was run before. */
export async function openRuns(runs: Runs, lang: string): Promise<void> {
  runs.trouble = "";
  try {
    const [processes, jobs] = await Promise.all([
      resultApi.processes(runs.twin, lang),
      resultApi.jobs(runs.twin, { limit: 50 }).catch(() => [] as JobStatus[]),
    ]);
    // A list says little of each; the whole description comes when a form is wanted. What needs no layer says nothing of a city (it is
    // there for machines that test the server), and is not offered.
    runs.processes = processes.filter(ofTheCity);
    const others = new Set(processes.filter((p) => !ofTheCity(p)).map((p) => p.id));
    for (const job of [...jobs].reverse()) {
      if (jobKind(job) !== "process" || runs.list.some((r) => r.id === job.jobID)) continue;
      if (job.status === "dismissed" || others.has(String(job.processID))) continue;
      hold(runs, job, text(job.processID as never), ofJob(job), null);
    }
  } catch (error) {
    runs.trouble = line(error);
  }
}

const jobKind = (job: JobStatus): string => String(job.kind ?? job.type ?? "process");

/** The scenario that a job says it was asked of. */
export function ofJob(job: JobStatus): Of | null {
  const told = job["scenario"];
  if (!told) return null;
  if (typeof told === "string") return { id: told.split("@")[0]!, name: told.split("@")[0]!, revision: Number(told.split("@")[1]) || null };
  const one = bag(told as never);
  return one["id"] ? { id: text(one["id"]), name: text(one["name"]) || text(one["id"]), revision: number(one["revision"]) } : null;
}

function hold(runs: Runs, first: JobStatus, process: string, of: Of | null, inputs: Record<string, unknown> | null): Run {
  const run = shallowReactive<Run>({
    id: first.jobID, process, of, inputs, job: null as unknown as Followed, outputs: null, parameters: null, title: "", statement: "", seconds: null, trouble: "", stop: () => undefined,
  });
  runs.list.unshift(run);
  const heard = (job: Followed) => {
    if (job.status.status === "successful" && !run.outputs && !run.trouble) void readOutputs(runs.twin, run);
  };
  const { job, stop } = followJob(runs.twin, first, heard);
  run.job = job;
  run.stop = stop;
  heard(job);
  return run;
}

/** What the manifest says that a run answered; it is there for every result, however its values were asked for. */
async function readOutputs(twin: string, run: Run): Promise<void> {
  run.outputs = [];
  try {
    const manifest = await resultApi.manifest(twin, run.id);
    const subject = bag(manifest["credentialSubject"]);
    run.parameters = bag(subject["parameters"]);
    run.title = words(bag(subject["process"])["title"]);
    const outputs = list(subject["outputs"] ?? null).map(bag).map((one) => ({
      output: text(one["output"]), layer: text(one["layer"]), title: words(one["title"]), shape: text(one["shape"]), unit: text(one["unit"]), error: number(one["error"]),
      content: text(one["content"]), count: number(one["count"]), bytes: number(one["bytes"]),
    }));
    run.statement = words(subject["error"]);
    run.seconds = number(subject["seconds"]);
    run.outputs = outputs;
  } catch (error) {
    run.trouble = line(error);
  }
}

/** The whole description of a process; its short one stands in the list until then. */
export async function describe(runs: Runs, id: string, lang: string): Promise<ProcessAbout | null> {
  const known = runs.processes?.find((p) => p.id === id);
  if (known?.inputs) return known;
  try {
    const whole = await resultApi.process(runs.twin, id, lang);
    if (runs.processes) runs.processes = runs.processes.map((p) => (p.id === id ? whole : p));
    return whole;
  } catch (error) {
    runs.trouble = line(error);
    return null;
  }
}

/** Asks a process about a scenario (or the city as it is). Raises `ServerProblem` where it is refused at once. */
export async function run(runs: Runs, process: string, of: Of | null, inputs: Record<string, unknown>): Promise<Run> {
  const outputs = Object.keys(runs.processes?.find((p) => p.id === process)?.outputs ?? {});
  const first = await resultApi.execute(runs.twin, process, outputs, { ...inputs, ...(of ? { scenario: of.revision === null ? of.id : `${of.id}@${of.revision}` } : {}) });
  return hold(runs, first, process, of, inputs);
}

/** Stops a run, or takes away what it answered. */
export async function dismiss(runs: Runs, one: Run): Promise<void> {
  one.stop();
  try {
    await resultApi.dismiss(runs.twin, one.id);
  } catch (error) {
    if (!(error instanceof ServerProblem) || ![404, 409, 410].includes(error.status)) {
      one.trouble = line(error);
      return;
    }
  }
  runs.list = runs.list.filter((r) => r.id !== one.id);
}

/** The newest run of each process for a variant that has an answer. */
export function answered(runs: Runs, of: string | null, process?: string): Run[] {
  const seen = new Set<string>();
  return runs.list.filter((r) => {
    if ((r.of?.id ?? null) !== of || r.job.status.status !== "successful" || (process && r.process !== process) || seen.has(r.process)) return false;
    seen.add(r.process);
    return true;
  });
}

// -- verification -------------------------------------------------------------------------------------------------------

export interface Verification {
  readonly number: number;
  readonly name: string;
  readonly twin: string;
  phase: "taking" | "sending" | "repeating";
  bytes: number | null;
  job: Followed | null;
  busy: boolean;
  problem: string;
  verdict: Verdict | null;
  cancel(): void;
  stop(): void;
}

let count = 0;
const MOST_BYTES = 512 * 2 ** 20;

/** Posts a package (bytes, or an address from which the browser takes it) to a twin, which repeats it; the verdict comes by and by. */
export function verifyPackage(twin: string, what: Blob | string, name: string): Verification {
  const hangup = new AbortController();
  let stop = () => undefined as void;
  const one: Verification = reactive<Verification>({
    number: ++count, name, twin, phase: typeof what === "string" ? "taking" : "sending", bytes: null, job: null, busy: true, problem: "", verdict: null,
    cancel() {
      hangup.abort();
      const id = one.job?.id;
      stop();
      one.busy = false;
      if (id) void resultApi.dismiss(twin, id).catch(() => undefined);
      one.problem = "cancelled";
    },
    stop() {
      hangup.abort();
      stop();
    },
  }) as Verification;
  const finish = async (job: Followed) => {
    if (!ended(job.status) || !one.busy) return;
    try {
      if (job.status.status === "successful") one.verdict = readVerdict(await resultApi.results(twin, job.id));
      else one.problem = problemOf(job.status) || job.status.status;
    } catch (error) {
      one.problem = line(error);
    }
    one.busy = false;
  };
  const go = async () => {
    let body: Blob;
    if (typeof what === "string") {
      try {
        body = await resultApi.package(what, hangup.signal);
      } catch (error) {
        if (error instanceof ServerProblem && error.status === 0) throw new Error("unreachable-address");
        throw error;
      }
    } else body = what;
    one.bytes = body.size;
    if (body.size > MOST_BYTES) throw new Error("too-large");
    one.phase = "sending";
    const json = /json/.test(body.type) || /\.json$/.test(name);
    const first = await resultApi.verify(twin, new Blob([body], { type: json ? "application/json" : "application/octet-stream" }));
    one.phase = "repeating";
    if (!one.busy) return;
    const followed = followJob(twin, first, (job) => void finish(job));
    stop = followed.stop;
    one.job = followed.job;
    await finish(followed.job);
  };
  void go().catch((error: unknown) => {
    if (!one.busy) return;
    one.busy = false;
    one.problem = error instanceof DOMException && error.name === "AbortError" ? "cancelled" : line(error);
  });
  return one;
}

/** What went wrong with a job, as one line: the detail of its problem, or its message. */
export function problemOf(status: JobStatus): string {
  const problem = bag((status["problem"] ?? status["exception"]) as never);
  return text(problem["detail"]) || text(problem["title"]) || text(status.message as never);
}
