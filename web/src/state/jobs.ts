import { reactive } from "vue";
import { ServerProblem } from "../api/client";
import { resultApi, type JobStatus, type ResultApi } from "../api/result";
import { follow as listen, type Told } from "../api/stream";

/** A job as the page follows it. */
export interface Followed {
  readonly twin: string;
  readonly id: string;
  status: JobStatus;
  /** When the last tiding came, ms of the clock: between two of them the remaining time counts down. */
  heardAt: number;
  /** The server cannot be reached; asked again by itself. */
  lost: boolean;
}

export const ended = (status: Pick<JobStatus, "status">): boolean => ["successful", "failed", "dismissed"].includes(status.status);

/**
 * What is known after a tiding. Tidings can overtake each other (events and polls): an end is never taken back, and an older one
 * says nothing.
 */
export function after(before: JobStatus, tiding: Partial<JobStatus>): JobStatus {
  const told = { ...before, ...tiding, jobID: before.jobID };
  if (ended(before) && !ended(told)) return before;
  if (before.updated && tiding.updated && tiding.updated < before.updated) return before;
  return told;
}

/** Whole seconds that are left, counted down from the last tiding; `null` where nobody knows. */
export function secondsLeft(job: Followed, now: number): number | null {
  const told = job.status.remaining_s;
  if (told === null || told === undefined || !Number.isFinite(told) || ended(job.status)) return null;
  return Math.max(0, Math.round(told - (now - job.heardAt) / 1000));
}

/** What the browser gives to hear of a job; tests give their own. */
export interface Ears {
  api: Pick<ResultApi, "job" | "events">;
  listen: (path: string, hear: (event: Told) => void, living?: (alive: boolean) => void) => () => void;
  now(): number;
  wait(ms: number): Promise<void>;
}

const browser: Ears = {
  api: resultApi,
  listen,
  now: () => Date.now(),
  wait: (ms) => new Promise((done) => setTimeout(done, ms)),
};

/** Streams that are open at once: a browser keeps six connections to a server, and the page needs the rest. */
const STREAMS = 2;
const FIRST_MS = 400;
const MOST_MS = 4000;
let open = 0;

/** Hears of a job until it has ended or `stop` is called: by server-sent events, and by asking where these do not come. */
export function followJob(
  twin: string,
  first: JobStatus,
  heard: (job: Followed) => void = () => undefined,
  ears: Ears = browser,
): { job: Followed; stop(): void } {
  const job = reactive<Followed>({ twin, id: first.jobID, status: first, heardAt: ears.now(), lost: false }) as Followed;
  let alive = true;
  let silence: (() => void) | null = null;
  let asking = false;

  const stop = () => {
    alive = false;
    if (!silence) return;
    silence();
    silence = null;
    open -= 1;
  };
  const take = (tiding: Partial<JobStatus>) => {
    if (!alive) return;
    const next = after(job.status, tiding);
    if (next !== job.status) {
      job.status = next;
      job.heardAt = ears.now();
    }
    job.lost = false;
    const over = ended(job.status);
    if (over) stop();
    heard(job);
  };
  const poll = async () => {
    if (asking) return;
    asking = true;
    for (let pause = FIRST_MS; alive && asking; pause = Math.min(MOST_MS, pause * 1.5)) {
      try {
        take(await ears.api.job(twin, job.id));
      } catch (error) {
        if (!alive) return;
        if (error instanceof ServerProblem && (error.status === 404 || error.status === 410)) {
          take({ status: "dismissed", message: error.message });
          return;
        }
        job.lost = true;
        heard(job);
      }
      if (alive && asking) await ears.wait(pause);
    }
  };
  const hear = (event: Told) => {
    try {
      const told = JSON.parse(event.data) as Partial<JobStatus> | null;
      if (told && typeof told === "object" && told.status) take(told);
    } catch {
      // a word of the stream's own: nothing about the job
    }
  };

  if (ended(first)) {
    alive = false;
    heard(job);
  } else if (open < STREAMS) {
    open += 1;
    silence = ears.listen(ears.api.events(twin, job.id), hear, (living) => {
      if (living) asking = false;
      else if (alive) void poll();
    });
  } else void poll();
  return { job, stop };
}
