// The work plan: programmes as they are written, what a statement changed, and the words in two languages that each needs.
import type { Both } from "../api/exchange";
import type { JointProgramme, Programme, Said, Statement } from "../api/know";

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
