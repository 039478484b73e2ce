import { describe, expect, it } from "vitest";
import type { Programme, Said, Statement } from "../src/api/know";
import { classOf, lineStyleOf, mercator, widthAt } from "../src/state/know-ground";
import { blocksOf, piecesOf } from "../src/state/know-guide";
import { stageOf } from "../src/state/know-runs";
import { answered, blank, blankJoint, changesBy, groupOf, historyOf, inBoth, inOrder, jointOf, lookOf, readyJoint, saidOf } from "../src/state/workplan";

describe("a guide", () => {
  it("is read into headings, paragraphs, steps and lists, and its title is left to the page", () => {
    const said = blocksOf("# Title\n\n**What.** Streets\nin shade.\n\n1. first,\n   still first\n2. `second`\n\n## More\n- a\n- *b*");
    expect(said.map((b) => [b.kind, b.lines.length])).toEqual([["text", 1], ["steps", 2], ["heading", 1], ["list", 2]]);
    expect(said[0]!.lines[0]).toEqual([{ text: "What.", look: "bold" }, { text: " Streets in shade.", look: "" }]);
    expect(said[1]!.lines[0]![0]!.text).toBe("first, still first");
    expect(said[3]!.lines[1]).toEqual([{ text: "b", look: "em" }]);
  });
  it("is never HTML", () => {
    expect(piecesOf("<img src=x onerror=alert(1)> 2 * 3 * 4")).toEqual([{ text: "<img src=x onerror=alert(1)> 2 * 3 * 4", look: "" }]);
  });
});

describe("the lines of an answer", () => {
  const style = lineStyleOf({
    layers: [{ type: "line", paint: { "line-width": ["interpolate", ["linear"], ["zoom"], 12, 1.5, 17, 6], "line-color": ["step", ["get", "below_pct"], "#f0b429", 25, "#b9b1a2", 50, "#5b8fb9"] } }],
  });
  it("have the classes of the playbook's style; what is not known is not drawn", () => {
    expect(style.column).toBe("below_pct");
    expect(style.classes.map((c) => c.from)).toEqual([null, 25, 50]);
    expect([0, 24.9, 25, 50, 100, null, NaN].map((v) => classOf(style, v))).toEqual([0, 0, 1, 2, 2, -1, -1]);
  });
  it("are as wide as the style says between its zooms", () => {
    expect([10, 12, 14.5, 17, 19].map((z) => widthAt(style.widths, z))).toEqual([1.5, 1.5, 3.75, 6, 6]);
  });
  it("are plain where the style says nothing that is understood", () => {
    expect(classOf(lineStyleOf(null), undefined)).toBe(0);
    expect(lineStyleOf({ layers: "?" }).classes).toHaveLength(1);
  });
  it("lie in the plane of web mercator", () => {
    expect(mercator(0, 0)).toEqual([0.5, 0.5]);
    expect(mercator(180, 85.051128779807)[1]).toBeCloseTo(0, 9);
  });
});

describe("the stage of a chain", () => {
  it("names the step and what it does", () => {
    const steps = [{ title: { ko: "해", en: "Sun: low" } as Said }, { title: { ko: "길", en: "Streets" } as Said }];
    expect(stageOf(steps, "Sun: low: reading layers")).toEqual({ step: 0, rest: "reading layers" });
    expect(stageOf(steps, "done")).toEqual({ step: -1, rest: "done" });
  });
});

describe("a joint programme", () => {
  const first = blank(2027);
  const second: Programme = { ...first, budget: 5, title: { ko: "가", en: "a" } as Said };
  it("shows what a second proposal changes, whatever order the statements come in", () => {
    const say = (seq: number, programme: Programme | null): Statement => ({ seq, step: programme ? "propose" : "agree", programme, text: {}, author: { name: "", kind: "anyone", verified: false }, at: "" });
    expect(historyOf([say(2, second), say(1, null), say(0, first), say(3, { ...second })]).map((h) => h.changed)).toEqual([[], [], ["title", "budget"], []]);
  });
  it("has its words in both languages, and its days in order", () => {
    expect(inBoth(" 가 ", "")).toEqual({ ko: "가", en: "가" });
    expect(inBoth("가", "a")).toEqual({ ko: "가", en: "a" });
    expect(inOrder(first)).toBe(true);
    expect(inOrder({ ...first, review: "2026-12-31" })).toBe(false);
    expect(inOrder({ ...first, end: "2026-12-31" })).toBe(false);
  });
  it("stands among those that come every year, now and then, or once", () => {
    expect((["yearly", "monthly", "once"] as const).map((period) => groupOf({ programme: { ...first, period } }))).toEqual(["yearly", "periodic", "once"]);
  });
});

describe("a programme that the partner holds too", () => {
  const whole = { ...blankJoint(2027), title: { ko: "가", en: "a" } as Said, about: { ko: "나", en: "b" } as Said, ours: { owner: "Kim", department: "Roads", budget: 3 } };
  it("can be proposed before the partner has said who answers for it there, and agreed to only afterwards", () => {
    expect(readyJoint(whole)).toBe(true);
    expect(answered(whole)).toBe(false);
    expect(answered({ ...whole, theirs: { owner: "Park", department: "City", budget: 0 } })).toBe(true);
    expect(readyJoint({ ...whole, ours: { owner: " ", department: "Roads", budget: 3 } })).toBe(false);
    expect(readyJoint({ ...whole, theirs: { owner: "", department: "", budget: 1.5 } })).toBe(false);
  });
  it("is written anew out of what was read, without what only the server says", () => {
    const read = { ...whole, digest: "d", document: { type: "JointProgramme" } };
    const mine = jointOf(read);
    expect(mine).toEqual(whole);
    mine.ours.budget = 9;
    expect(read.ours.budget).toBe(3);
  });
  it("names each change by the city whose part it is of", () => {
    const all = [{ field: "review", of: "", before: "2027-11-30", after: "2027-12-01" }, { field: "budget", of: "theirs", before: 1, after: 2 }] as const;
    expect(Object.keys(changesBy(all))).toEqual(["review", "theirs.budget"]);
  });
  it("says first whose answer is waited for", () => {
    expect(saidOf({ state: "changing", turn: "ours" })).toBe("changing-ours");
    expect(saidOf({ state: "agreed", turn: "" })).toBe("agreed");
    expect(saidOf({ state: "", turn: "" })).toBe("refused");
    expect(["ours", "good", "bad", ""]).toEqual([lookOf({ state: "proposed", turn: "ours" }), lookOf({ state: "agreed", turn: "" }), lookOf({ state: "ended", turn: "" }), lookOf({ state: "proposed", turn: "theirs" })]);
  });
});
