import { describe, expect, it } from "vitest";
import { ServerProblem } from "../src/api/client";
import type { Preview, Release, Remedy } from "../src/api/exchange";
import { choicesOf, columnsOf, fieldsOf, madeOf, pathOf, replaced, sheetOf, slipIn, toldOf, troubleOf } from "../src/state/exchange-remedy";

const remedy = (kind: Remedy["kind"], parameters: object, numbers: object = {}): Remedy => ({ kind, parameters, title: { ko: "", en: "" }, clears: [], leaves: "allowed", numbers }) as never;
const preview = (more: object = {}): Preview => ({
  remedy: remedy("coarsen", { cell_m: 90 }),
  verdict: "allowed", findings: [], features: 4, columns: [], names: { sites: { depot: { ko: "창고", en: "Depot" } }, columns: {} }, sketch: null,
  before: { count: 3600, known: 3600, columns: [], resolution_m: 5 }, after: { count: 4, known: 4, columns: [], resolution_m: 90 },
  ...more,
});
const release = (more: object = {}): Release => ({ asset: "layer:terrain", state: "refused", findings: [], remedies: [], ...more }) as never;
const finding = (remedies: string[], more: object = {}) => ({ severity: "forbids", remedies, numbers: {}, ...more });

describe("remedies of a release", () => {
  it("are those that the gate has tried, then kinds that were only named, and never what cells do not know", () => {
    const asked = release({ findings: [finding(["mask", "coarsen", "aggregate"]), finding(["withhold"], { severity: "notes" })], remedies: [remedy("coarsen", { cell_m: 90 })] });
    expect(choicesOf(asked).map((c) => c.kind)).toEqual(["coarsen", "mask", "aggregate"]);
    expect(choicesOf(asked, "grid").map((c) => c.kind)).toEqual(["coarsen", "mask"]);
  });
  it("are not looked for where it may leave already, nor for what is no layer", () => {
    const all = { findings: [finding(["mask"])] };
    expect(choicesOf(release({ ...all, state: "granted" }))).toEqual([]);
    expect(choicesOf(release({ ...all, asset: "process:sunlight" }))).toEqual([]);
    expect(choicesOf(release({ ...all, state: "waiting" }))).toHaveLength(1);
  });
});

describe("what may be said to a remedy", () => {
  it("is a cell of a grid, larger than its own, and a step of coordinates of shapes", () => {
    const [cell] = fieldsOf("coarsen", { cell_m: 90 }, preview());
    expect(cell).toMatchObject({ name: "cell_m", least: 5 });
    expect([5, 4, NaN, 200_000, 6].map((n) => slipIn(cell!, n))).toEqual(["number", "number", "number", "number", ""]);
    expect(fieldsOf("coarsen", {}, preview({ before: { count: 2, known: null, columns: [], resolution_m: 0.1 } }))[0]!.name).toBe("mesh_m");
  });
  it("names sites, and asks how they are hidden only of cells", () => {
    const fields = fieldsOf("mask", { sites: ["depot"] }, preview());
    expect(fields.map((f) => f.name)).toEqual(["sites", "margin_m", "how"]);
    expect(slipIn(fields[0]!, [])).toBe("none");
    expect(fieldsOf("mask", {}, preview({ before: { count: 2, known: null, columns: [], resolution_m: 1 } })).map((f) => f.name)).toEqual(["sites", "margin_m"]);
  });
  it("is columns, or persons, or counts, as the gate has offered it", () => {
    const rows = preview({ before: { count: 9, known: null, columns: ["age", "name"], resolution_m: null } });
    expect(fieldsOf("withhold", { columns: ["name"] }, rows)).toMatchObject([{ name: "columns", options: ["age", "name"] }]);
    expect(fieldsOf("withhold", { k: 5, l: 2 }, rows).map((f) => f.name)).toEqual(["k", "l"]);
    expect(fieldsOf("withhold", { counts: ["n"], k: 5 }, rows).map((f) => f.name)).toEqual(["counts", "k"]);
    const [k] = fieldsOf("aggregate", { k: 5 }, rows);
    expect([1, 2.5, 2].map((n) => slipIn(k!, n))).toEqual(["number", "number", ""]);
  });
});

describe("a preview", () => {
  it("tells cells by how many and how large they are", () => {
    expect(toldOf(preview(), release())).toEqual([
      { id: "cells", before: 3600, after: 4 },
      { id: "cell", before: 5, after: 90, metres: true },
    ]);
  });
  it("tells rows, columns and the smallest group, as the finding has counted it", () => {
    const rows = preview({
      remedy: remedy("withhold", {}, { k_after: 6 }),
      before: { count: 40, known: null, columns: ["age", "name"], resolution_m: null }, after: { count: 31, known: null, columns: ["age"], resolution_m: null },
    });
    expect(toldOf(rows, release({ findings: [finding([], { numbers: { k: 1 } })] }))).toEqual([
      { id: "rows", before: 40, after: 31 },
      { id: "columns", before: 2, after: 1 },
      { id: "k", before: 1, after: 6 },
    ]);
    expect(columnsOf(rows)).toEqual({ gone: ["name"], come: [] });
  });
  it("is drawn to scale: a degree east is shorter than a degree north", () => {
    const sheet = sheetOf([127, 37, 127.02, 37.01]);
    expect(sheet.at(127.02, 37.01)).toEqual([expect.closeTo(100, 6), expect.closeTo(0, 6)]);
    expect(sheet.high).toBeCloseTo(62.6, 1);
    expect(sheet.rect([127, 37, 127.01, 37.01]).width).toBeCloseTo(50, 6);
    const square = pathOf({ type: "Polygon", coordinates: [[[127, 37], [127.02, 37], [127.02, 37.01], [127, 37]]] }, sheet.at);
    expect(square.d).toMatch(/^M0\.00 62\.\d+L100\.00 62\.\d+L100\.00 0\.00Z$/);
    expect(pathOf({ type: "Point", coordinates: [127, 37.01] }, sheet.at).points).toEqual([[0, 0]]);
    expect(pathOf(null, sheet.at)).toEqual({ d: "", points: [] });
  });
});

describe("what went wrong with a remedy", () => {
  const of = (status: number, detail = "", parameter = "") => troubleOf(new ServerProblem(status, { detail, ...(parameter ? { parameter } : {}) }));
  it("has a word of the page for every answer of the server", () => {
    expect(of(0).key).toBe("unreachable");
    expect(of(401).key).toBe("signed-out");
    expect(of(409, "rel-1: the layer has changed since the question; ask the gate again").key).toBe("changed");
    expect(of(409, "rel-1: somebody has decided meanwhile; read it again").key).toBe("decided");
    expect(of(409, "rel-1: the release gate refuses layer:x: …").key).toBe("refused");
    expect(of(400, "cell_m: 5 is no size; write metres, more than 5", "cell_m")).toEqual({ key: "bad-value", parameter: "cell_m" });
    expect(of(400, "cell_m: no whole cell of that size lies in it; use a smaller one", "cell_m").key).toBe("nothing-left");
    expect(of(400, "k: there are fewer than 5 persons in all; do not release it", "k").key).toBe("too-few");
    expect(of(400, "remedy: cells are no persons; coarsen it", "remedy").key).toBe("not-for-this");
    expect(of(500).key).toBe("failed");
    expect(troubleOf(new Error("x")).key).toBe("failed");
  });
});

describe("an offer", () => {
  it("has what a remedy made in the place of what it was made of", () => {
    expect(replaced(["process:sunlight", "layer:terrain"], "layer:terrain", "layer:terrain-release-1")).toEqual(["process:sunlight", "layer:terrain-release-1"]);
  });
  it("does not hold the plan any more whose layer was replaced, nor anything twice", () => {
    expect(replaced(["scenario:01ab23cd-77", "process:sunlight"], "layer:plan-01ab23cd", "layer:plan-01ab23cd-release-1")).toEqual(["process:sunlight", "layer:plan-01ab23cd-release-1"]);
    expect(replaced(["layer:a", "layer:a-release-1"], "layer:a", "layer:a-release-1")).toEqual(["layer:a-release-1"]);
  });
  it("knows what a layer was made from", () => {
    expect(madeOf("layer:terrain-release-12")).toEqual({ layer: "terrain", number: "12" });
    expect(madeOf("layer:terrain")).toBeNull();
  });
});
