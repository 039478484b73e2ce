// The work plan: programmes as they are written, what a statement changed, and the words in two languages that each needs.
import type { Both } from "../api/exchange";
import type { Joint, JointBrief, JointChange, JointProgramme, JointText, Programme, Said, Statement } from "../api/know";

/** A text that was written in one language stands in both, so that nobody reads an empty line. */
export function inBoth(ko: string, en: string): Both {
  const [a, b] = [ko.trim(), en.trim()];
  return { ko: a || b, en: b || a };
}

export const FIELDS = ["title", "about", "period", "owner", "department", "partner", "budget", "currency", "start", "end", "review"] as const;
export type Field = (typeof FIELDS)[number];
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const words = (said: Said | string | number) => (typeof said === "object" ? [said.ko, said.en] : said);

/** What a proposal changes of the one before it. */
export const changedIn = (before: Programme | null, now: Programme): Field[] => (before ? FIELDS.filter((f) => !same(words(before[f]), words(now[f]))) : []);

/** Statements in order, each with what it changed. */
export function historyOf(all: readonly Statement[]): { statement: Statement; changed: Field[] }[] {
  let before: Programme | null = null;
  return [...all].sort((a, b) => a.seq - b.seq).map((statement) => {
    const changed = statement.programme ? changedIn(before, statement.programme) : [];
    if (statement.programme) before = statement.programme;
    return { statement, changed };
  });
}

export const GROUPS = ["yearly", "periodic", "once"] as const;
/** Yearly programmes, those that come more often, and those that are done once. */
export const groupOf = (one: Pick<JointProgramme, "programme">): (typeof GROUPS)[number] =>
  one.programme.period === "yearly" || one.programme.period === "once" ? one.programme.period : "periodic";

/** A programme of the year that comes, still without words. */
export function blank(year: number): Programme {
  const none = { ko: "", en: "" } as Said;
  return { title: { ...none }, about: { ...none }, period: "yearly", owner: "", department: "", partner: "", budget: 0, currency: "KRW", start: `${year}-01-01`, end: `${year}-12-31`, review: `${year}-11-30` };
}
/** Whether the days stand in order. */
export const inOrder = (p: Pick<Programme, "start" | "end" | "review">): boolean => !!p.start && p.start <= p.end && p.start <= p.review;

// -- programmes that a partner holds too

/** What an officer writes, out of what was read; nothing of it is shared with what was read. */
export function jointOf(said: JointText | Joint): Joint {
  const { title, about, period, currency, start, end, review, status, ours, theirs, notes } = said;
  return JSON.parse(JSON.stringify({ title, about, period, currency, start, end, review, status, ours, theirs, notes })) as Joint;
}
export function blankJoint(year: number): Joint {
  const { title, about, period, currency, start, end, review } = blank(year);
  const nobody = { owner: "", department: "", budget: 0 };
  return { title, about, period, currency, start, end, review, status: "planned", ours: { ...nobody }, theirs: { ...nobody }, notes: [] };
}
/** Whether it can be proposed: it has words, its days are in order, and somebody answers for it here. */
export const readyJoint = (p: Joint): boolean =>
  !!(p.title.ko.trim() || p.title.en.trim()) && !!(p.about.ko.trim() || p.about.en.trim()) && !!p.ours.owner.trim() && !!p.ours.department.trim() && inOrder(p) && [p.ours, p.theirs].every((s) => Number.isInteger(s.budget) && s.budget >= 0);
/** The changes of a proposal by the field that they are shown beside: `review`, `ours.budget`, `notes`. */
export const changesBy = (all: readonly JointChange[]): Record<string, JointChange> => Object.fromEntries(all.map((one) => [one.of ? `${one.of}.${one.field}` : one.field, one]));
/** Whether both cities have said who answers for it, so that it can be agreed to. */
export const answered = (p: Pick<Joint, "ours" | "theirs">): boolean => [p.ours, p.theirs].every((s) => !!s.owner.trim() && !!s.department.trim());
export const lookOf = (p: Pick<JointBrief, "state" | "turn">): string => (p.turn === "ours" ? "ours" : p.state === "agreed" ? "good" : ["declined", "withdrawn", "ended", ""].includes(p.state) ? "bad" : "");
/** What is said of how it stands: whose answer is waited for comes before what it is. */
export const saidOf = (p: Pick<JointBrief, "state" | "turn">): string => (p.turn ? `${p.state}-${p.turn}` : p.state || "refused");
