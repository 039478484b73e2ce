// What is in force follows from the journal alone; the same rules as the server's `city/edits.py` and `scenario/scenario.py`, so that
// the page can say what a hand adds to it before anybody is asked.
import type { Entry, PlanOp } from "../api/plan";

/** Which entries are taken back, by which. */
export function takenBack(entries: readonly Entry[]): Map<number, number> {
  const gone = new Map<number, number>();
  for (const entry of [...entries].sort((a, b) => b.seq - a.seq))
    if (entry.kind === "undo" && !gone.has(entry.seq)) gone.set(Number(entry.entry), entry.seq);
  return gone;
}

/** The edits that nobody has taken back, in order. */
export function standing(entries: readonly Entry[]): Entry[] {
  const gone = takenBack(entries);
  return [...entries].sort((a, b) => a.seq - b.seq).filter((one) => one.kind === "edit" && !gone.has(one.seq));
}

export const isNew = (id: string): boolean => /^new\/[0-9a-f]{8}$/.test(id);

/** The edits in force: of each object at most one that makes or takes it, and then one `set`. */
export function fold(ops: readonly PlanOp[]): PlanOp[] {
  const made = new Map<string, PlanOp>();
  const said = new Map<string, PlanOp>();
  for (const op of ops) {
    const name = op.object;
    if (op.op === "set") {
      if (made.get(name)?.op !== "remove") said.set(name, { ...said.get(name), ...op });
      continue;
    }
    said.delete(name);
    made.set(name, op.op === "replace" && isNew(name) ? { ...op, op: "add" } : op);
  }
  const names = [...new Set([...made.keys(), ...said.keys()])].filter((n) => !(made.get(n)?.op === "remove" && isNew(n))).sort();
  return names.flatMap((n) => [made.get(n), said.get(n)].filter((one) => one !== undefined));
}

export const inForce = (entries: readonly Entry[]): PlanOp[] => fold(standing(entries).flatMap((one) => (one.edit ? [one.edit] : [])));

/** What may be taken back, and brought again, by one client: the last of its own that stands, and the last of its own undos that stands. */
export function steps(entries: readonly Entry[], client: string): { undo: Entry | null; redo: Entry | null } {
  const gone = takenBack(entries);
  const own = [...entries].sort((a, b) => b.seq - a.seq).filter((e) => e.client === client && (e.kind === "edit" || e.kind === "undo"));
  // An undo of an undo is an edit again; only undos of edits can be brought back.
  const of = (e: Entry) => entries.find((one) => one.seq === Number(e.entry));
  const undo = own.find((e) => e.kind === "edit" && !gone.has(e.seq)) ?? null;
  const last = own.find((e) => e.kind === "undo" && !gone.has(e.seq) && of(e)?.kind === "edit") ?? null;
  // A new edit ends what could be brought again.
  const redo = last && !own.some((e) => e.kind === "edit" && e.seq > last.seq) ? last : null;
  return { undo, redo };
}

/** What an edit is, for its words. */
export type Deed = "add" | "copy" | "replace" | "remove" | "height" | "move" | "turn" | "name" | "set";

/** What an edit did, most telling first, compared with what was set before it. */
export function deeds(op: PlanOp, before: PlanOp | undefined): Deed[] {
  if (op.op === "add") return [op["from"] ? "copy" : "add"];
  if (op.op !== "set") return [op.op as Deed];
  const same = (key: string) => JSON.stringify(op[key]) === JSON.stringify(before?.[key]);
  const found: Deed[] = [];
  if (op["height_m"] !== undefined && !same("height_m")) found.push("height");
  if (op["move"] !== undefined && !same("move")) found.push("move");
  if (op["turn_deg"] !== undefined && !same("turn_deg")) found.push("turn");
  if (op["name"] !== undefined && !same("name")) found.push("name");
  return found.length ? found : ["set"];
}
