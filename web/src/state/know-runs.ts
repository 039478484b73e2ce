// Runs of playbooks: one a playbook and twin is followed, and what it answered is read when it has ended.
import { reactive, shallowReactive } from "vue";
import { knowApi, type PlaybookAnswer, type Step } from "../api/know";
import { resultApi, type JobStatus } from "../api/result";
import { line } from "./exchange-room";
import { ended, followJob, type Followed } from "./jobs";
import { problemOf } from "./runs";

export interface BookRun { job: Followed | null; answer: PlaybookAnswer | null; trouble: string; busy: boolean }

const kept = new Map<string, BookRun>();
const stops = new Map<string, () => void>();

/** The run of a playbook; it goes on while other pages are read. */
export function runOfBook(twin: string, id: string): BookRun {
  const key = `${twin}/${id}`;
  let run = kept.get(key);
  if (!run) kept.set(key, (run = reactive<BookRun>({ job: null, answer: null, trouble: "", busy: false }) as BookRun));
  return run;
}

function hold(twin: string, id: string, run: BookRun, first: JobStatus): void {
  const key = `${twin}/${id}`;
  stops.get(key)?.();
  run.trouble = "";
  const { job, stop } = followJob(twin, first, (told) => {
    if (told.status.status === "failed") run.trouble = problemOf(told.status) || "failed";
    if (told.status.status === "successful" && told.id === (run.job?.id ?? told.id)) void read(twin, run, told.id);
  });
  stops.set(key, stop);
  run.job = job;
}

async function read(twin: string, run: BookRun, job: string): Promise<void> {
  try {
    run.answer = shallowReactive(await knowApi.answer(twin, job));
  } catch (error) {
    run.trouble = line(error);
  }
}

/** Takes up the newest run of a playbook, if there is one and the page knows none. */
export async function takeUp(twin: string, id: string): Promise<void> {
  const run = runOfBook(twin, id);
  if (run.job) return;
  const jobs = await resultApi.jobs(twin, { processID: id, limit: 20 }).catch(() => [] as JobStatus[]);
  const newest = jobs.filter((j) => j.kind === "playbook" && j.status !== "dismissed").sort((a, b) => String(b.created).localeCompare(String(a.created)))[0];
  if (newest && !run.job) hold(twin, id, run, newest);
}

export async function runBook(twin: string, id: string, thresholds: Record<string, number>): Promise<void> {
  const run = runOfBook(twin, id);
  run.busy = true;
  run.trouble = "";
  try {
    const first = await knowApi.run(twin, id, thresholds);
    run.answer = null;
    hold(twin, id, run, first);
  } catch (error) {
    run.trouble = line(error);
  } finally {
    run.busy = false;
  }
}

export async function stopBook(twin: string, id: string): Promise<void> {
  const run = runOfBook(twin, id);
  const job = run.job;
  if (!job || ended(job.status)) return;
  try {
    await resultApi.dismiss(twin, job.id);
    stops.get(`${twin}/${id}`)?.();
    run.job = null;
  } catch (error) {
    run.trouble = line(error);
  }
}

/** Which step a stage is of, and what it does there: the server says "<title of the step>: <stage>". */
export function stageOf(steps: readonly Pick<Step, "title">[], stage: string): { step: number; rest: string } {
  const step = steps.findIndex((s) => stage.startsWith(`${s.title.en}: `));
  return step < 0 ? { step, rest: stage } : { step, rest: stage.slice(steps[step]!.title.en.length + 2) };
}
