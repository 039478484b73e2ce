// What is done with a plan beside editing it: comments, files, a choice between two edits, approval.
import { planApi, ServerProblem } from "../api/plan";
import type { Desk } from "./scenario-desk";
import type { Hands } from "./scenario-hand";
import type { PlanRecord } from "./scenario-record";
import type { Planning } from "./scenario-types";

export type Matters = Pick<Planning, "pinAt" | "openPin" | "comment" | "resolve" | "importFile" | "aim" | "place" | "dropImported" | "approve" | "dropApproval">;

export function createMatters(desk: Desk, record: PlanRecord, hands: Hands, refresh: () => Promise<void>): Matters {
  const { state, client, now, chosen, twin, author, told, say, touched } = desk;
  const { seen, read, takeEntries, write, pinComments } = record;

  return {
    pinAt(at) {
      if (now.tool === "place" && now.importing) {
        now.importing = { ...now.importing, lon: at.lon, lat: at.lat, problem: "", needsPlace: false };
        return;
      }
      now.pinned = at;
    },
    openPin(key) {
      now.openPin = key;
    },
    async comment(text) {
      const head = now.head;
      if (!head || !text.trim()) return false;
      const selection = state.pick.selection;
      const at = now.pinned ?? (chosen.value && selection ? { lon: selection.lon, lat: selection.lat, object: selection.id } : null);
      const done = await told(async () => {
        const entry = await planApi.comment(twin().id, head.id, { text: text.trim(), author: author(), ...(at ? { lon: at.lon, lat: at.lat, ...(at.object ? { object: at.object } : {}) } : {}) });
        takeEntries([entry]);
        return true;
      });
      if (!done) return false;
      now.pinned = null;
      if (now.tool === "pin") now.tool = "choose";
      await read().catch(() => undefined);
      pinComments();
      return true;
    },
    async resolve(mine) {
      const conflict = now.conflict;
      now.conflict = null;
      if (!conflict) return;
      await read().catch(() => undefined);
      if (mine && (await write([conflict.mine]))) say("kept", conflict.object);
    },
    importFile(file) {
      now.importing = file && { file, lon: null, lat: null, heading_deg: 0, busy: false, problem: "", needsPlace: false };
      if (file) now.imported = null;
      now.tool = file ? "place" : "choose";
    },
    aim(heading_deg) {
      if (now.importing) now.importing = { ...now.importing, heading_deg };
    },
    dropImported() {
      now.imported = null;
    },
    dropApproval() {
      now.approval = null;
    },
    async place() {
      const [head, what] = [now.head, now.importing];
      if (!head || !what) return;
      now.importing = { ...what, busy: true, problem: "", needsPlace: false };
      try {
        const answer = await planApi.importFile(twin().id, head.id, what.file, { lon: what.lon, lat: what.lat, heading_deg: what.heading_deg, seen: seen(), client, author: author() });
        takeEntries(answer.entries);
        now.importing = null;
        now.imported = { name: what.file.name, count: answer.entries.length, notes: answer.notes };
        now.tool = "choose";
        await read();
        const first = answer.entries.find((e) => e.kind === "edit");
        if (first) {
          hands.show(first.object);
          say("import", what.file.name);
        }
        touched();
      } catch (error) {
        const blame = error instanceof ServerProblem ? error.problem.parameter : undefined;
        now.importing = { ...what, busy: false, problem: String((error as Error).message), needsPlace: blame === "lon" && what.lon === null };
      }
    },
    async approve(why) {
      const head = now.head;
      if (!head) return;
      await told(async () => {
        const job = await planApi.approve(twin().id, head.id, { why, revision: seen() });
        now.approval = { id: job.jobID, status: "accepted", progress: 0, message: "" };
        for (let i = 0; i < 2000 && now.approval?.id === job.jobID; i++) {
          const status = await planApi.job(twin().id, job.jobID);
          if (now.approval?.id !== job.jobID) return;
          now.approval = { id: job.jobID, status: status.status, progress: status.progress ?? null, message: status.message ?? "" };
          if (["successful", "failed", "dismissed"].includes(status.status)) break;
          await new Promise((done) => setTimeout(done, 500));
        }
        await read().catch(() => undefined);
        await refresh();
      });
    },
  };
}
