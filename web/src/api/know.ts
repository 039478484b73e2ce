// What the rooms of know-how and of common work ask the server: playbooks and the work plan. Loaded with these rooms only.
import { ask, json, part, root, send } from "./client";
import type { Both } from "./exchange";
import type { JobStatus } from "./result";

/** Words in Korean and English, and maybe in the author's language too. */
export type Said = Both & Record<string, string>;

export interface Playbook { id: string; version: string; names: Said; summary: Said; origin: string; installed: string }
/** A number that decides; `convention`: no standard says it, the author chose it. */
export interface Threshold { id: string; names: Said; value: number; unit: string; source: Said; convention: boolean; changed?: boolean }
export interface Step { id: string; title: Said; process: string; versions: string[]; inputs: Record<string, unknown>; takes: Record<string, string> }
export interface Need { layer: string; shape: string; geometry: string; least: number; columns: Record<string, string>; why: Said }
export interface PlaybookAbout extends Playbook {
  digest: string;
  author: { city?: Said; department?: string; contact?: string };
  /** How its signer is known here: the twin itself, a peer, or a stranger whose key a person has compared. */
  signed: { by: string; key: string; known: "here" | "peer" | "accepted" };
  languages: string[];
  /** Of the guide (Markdown). */
  lang: string;
  guide: string;
  steps: Step[];
  needs: Need[];
  thresholds: Threshold[];
  knowhow: Record<string, Said>;
  validation: { id: string; what: Said; process: string; file: string }[];
}
export interface Lack { what: string; name: string; says: Said; why?: Said }

export interface AnswerNumber { id: string; title: Said; unit: string; value: number | null }
export interface Place { id: string; label: string; value: number; unit: string; lon: number; lat: number }
/** What a run of a playbook keeps. `checked`: its numbers beside those of its validation, where this is that city. */
export interface PlaybookAnswer {
  steps: { id: string; title: Said; process: string; job: string; reused: boolean; layers: Record<string, string> }[];
  answer: { layer: string; version: string; style: Record<string, unknown> | null };
  thresholds: Threshold[];
  summary: { count: number; numbers: AnswerNumber[]; worst: Place[] };
  checked: { case: string; number: string; expected: number; tolerance: number; found: number | null; within: boolean }[];
}

export const PERIODS = ["once", "weekly", "monthly", "quarterly", "half-yearly", "yearly"] as const;
/** What is to be done together; days are ISO 8601, the budget whole units of the currency. */
export interface Programme {
  title: Said;
  about: Said;
  period: (typeof PERIODS)[number];
  owner: string;
  department: string;
  partner: string;
  budget: number;
  currency: string;
  start: string;
  end: string;
  review: string;
}
export type WorkStep = "propose" | "agree" | "review" | "withdraw";
export interface Statement { seq: number; step: WorkStep; programme: Programme | null; text: Partial<Said>; author: { name: string; kind: string; verified: boolean }; at: string }
export interface JointProgramme { id: string; agreement: string; state: "proposed" | "agreed" | "reviewed" | "withdrawn"; may: WorkStep[]; programme: Programme; due: boolean; statements: Statement[] }
/** Of a joint programme one city's part. */
export interface Share { owner: string; department: string; budget: number }
export const STATUSES = ["planned", "running", "paused", "done"] as const;
/** What two cities do together, as an officer writes it. */
export interface Joint {
  title: Said;
  about: Said;
  period: (typeof PERIODS)[number];
  currency: string;
  start: string;
  end: string;
  review: string;
  status: (typeof STATUSES)[number];
  ours: Share;
  theirs: Share;
  notes: { on: string; text: Said }[];
}
/** A document that is proposed or stands; its digest is the same in both cities. */
export interface JointText extends Joint { digest: string; document: Record<string, unknown> }
export interface JointChange { field: string; of: "" | "ours" | "theirs"; before: unknown; after: unknown }
export type JointStep = "propose" | "agree" | "decline" | "withdraw" | "end";
export type JointState = "" | "proposed" | "agreed" | "changing" | "declined" | "withdrawn" | "ended";
export interface JointBrief {
  id: string;
  peer: string;
  peer_id: string;
  began: "ours" | "theirs";
  proposer: "ours" | "theirs" | "";
  agreement: string;
  state: JointState;
  turn: "ours" | "theirs" | "";
  may: JointStep[];
  stands: JointText | null;
  open: JointText | null;
  last: JointText;
  changes: JointChange[];
  due: boolean;
  unheard: number;
  error: { code?: string; reason?: string[] } | null;
  created: string;
  updated: string;
}
export interface JointSignature { by: "ours" | "theirs"; did: string; key: string; at: string; good: boolean }
export interface JointMove { seq: number; move: JointStep; by: "ours" | "theirs"; at: string; author: { name: string; kind: string; verified: boolean }; said: JointText | null; changes: JointChange[]; reason: string; ledger: number; heard: string | null; void: string }
export interface JointWhole extends JointBrief { signatures: JointSignature[]; ledger: number | null; moves: JointMove[] }
/** `joint`: what a partner holds too; those that wait for us stand first. */
export interface Workplan { programmes: JointProgramme[]; joint: JointBrief[]; waiting: number; budget: Record<string, number> }

const books = (twin: string, id = "") => `${root(twin)}/playbooks${id ? `/${part(id)}` : ""}`;
const work = (twin: string) => `${root(twin)}/workplan`;

export const knowApi = {
  playbooks: (twin: string) => json<{ playbooks: Playbook[] }>(books(twin)).then((a) => a.playbooks),
  playbook: (twin: string, id: string, lang: string) => json<PlaybookAbout>(books(twin, id), { lang }),
  missing: (twin: string, id: string) => json<{ complete: boolean; missing: Lack[] }>(`${books(twin, id)}/missing`),
  run: (twin: string, id: string, thresholds: Record<string, number>) => send<JobStatus>("POST", `${books(twin, id)}/run`, { thresholds }),
  /** Installs a signed package; `accept` is the key of a stranger that a person has compared. */
  install: (twin: string, file: Blob, accept = "") =>
    ask(`${books(twin)}${accept ? `?accept=${part(accept)}` : ""}`, { method: "POST", headers: { "content-type": "application/zip" }, body: file }).then(
      (answer) => answer.json() as Promise<PlaybookAbout>,
    ),
  package: (twin: string, id: string) => `${books(twin, id)}?f=zip`,
  answer: (twin: string, job: string) => json<PlaybookAnswer>(`${root(twin)}/jobs/${part(job)}/results`),
  workplan: (twin: string) => json<Workplan>(work(twin)),
  propose: (twin: string, body: { programme: Programme; agreement: string; author: string }) => send<JointProgramme>("POST", work(twin), body),
  say: (twin: string, id: string, body: { step: WorkStep; programme?: Programme; text?: Both; author: string }) =>
    send<JointProgramme>("POST", `${work(twin)}/${part(id)}/statements`, body),
  joint: (twin: string, id: string) => json<JointWhole>(`${work(twin)}/joint/${part(id)}`),
  proposeJoint: (twin: string, body: { peer: string; programme: Joint; agreement: string; author: string }) => send<JointWhole>("POST", `${work(twin)}/joint`, body),
  moveJoint: (twin: string, id: string, move: JointStep, body: { programme?: Joint; digest?: string; reason?: string; author: string }) =>
    send<JointWhole>("POST", `${work(twin)}/joint/${part(id)}/${move}`, body),
};
