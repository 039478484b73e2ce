import { describe, expect, it } from "vitest";
import type { JobStatus } from "../src/api/result";
import type { Told } from "../src/api/stream";
import { fieldsOf, fill } from "../src/panels/result/form";
import { bytesText, changeText, digestGroups, durationText, numberText, unitText } from "../src/panels/result/units";
import { apartBy, differs, groupsOf, objectsOf, type Pair } from "../src/state/compare";
import { after, followJob, secondsLeft, type Ears } from "../src/state/jobs";
import { difference, roundUp, scaleOf, scaleOfChange, statistics, valueAt, type Cells } from "../src/state/results";
import { readVerdict, sealOf } from "../src/state/verify";

const job = (more: Partial<JobStatus> = {}): JobStatus => ({ jobID: "j1", status: "accepted", ...more });

function ears(polls: Partial<JobStatus>[] = []) {
  const told: { hear: (e: Told) => void; living: (alive: boolean) => void; closed: boolean }[] = [];
  let at = 1000;
  const made: Ears = {
    api: {
      events: () => "",
      job: async () => {
        const next = polls.shift();
        if (!next) throw new Error("unreachable");
        return job(next);
      },
    },
    listen: (_path, hear, living) => {
      const one = { hear, living: living ?? (() => undefined), closed: false };
      told.push(one);
      return () => (one.closed = true);
    },
    now: () => at,
    wait: async (ms) => void (at += ms),
  };
  return { made, told, tell: (status: Partial<JobStatus>) => told[0]!.hear({ event: "status", id: "", data: JSON.stringify(job(status)) }) };
}

describe("a job that is followed", () => {
  it("takes what the stream says until it has ended, and then hangs up", () => {
    const e = ears();
    const { job: one } = followJob("t", job(), undefined, e.made);
    e.tell({ status: "running", progress: 40, stage: "shadows", remaining_s: 12 });
    expect(one.status).toMatchObject({ status: "running", progress: 40, stage: "shadows" });
    expect(secondsLeft(one, e.made.now() + 2000)).toBe(10);
    e.tell({ status: "successful", progress: 100 });
    expect(one.status.status).toBe("successful");
    expect(e.told[0]!.closed).toBe(true);
    expect(secondsLeft(one, 0)).toBeNull();
  });
  it("asks by itself where the stream does not come", async () => {
    const e = ears([{ status: "running" }, { status: "successful" }]);
    const { job: one } = followJob("t", job(), undefined, e.made);
    e.told[0]!.living(false);
    await new Promise((done) => setTimeout(done, 5));
    expect(one.status.status).toBe("successful");
    expect(e.told[0]!.closed).toBe(true);
  });
  it("never takes back an end, and hears no older tiding", () => {
    expect(after(job({ status: "successful" }), { status: "running" }).status).toBe("successful");
    expect(after(job({ status: "running", updated: "2026-01-02" }), { progress: 1, updated: "2026-01-01" }).progress).toBeUndefined();
    expect(after(job({ status: "running", updated: "2026-01-01" }), { status: "accepted", updated: "2026-01-02" }).status).toBe("accepted");
  });
});

describe("a seal", () => {
  const good = { good: true, did: "did:web:a", by: "here", resolved: true, findings: [] };
  const read = (verdict: string, signature: unknown, sealed = verdict === "same") => sealOf(readVerdict({ verdict, signature: signature as never, outputs: [], sealed }));
  it("is green only for the same result under a good signature", () => {
    expect(read("same", good)).toBe("same");
    expect(read("within-error", good)).toBe("near");
    expect(read("different", good)).toBe("different");
    expect(read("same", { ...good, by: "enclosed", resolved: false })).toBe("doubt");
    expect(read("same", { ...good, good: false, findings: [{ code: "bad-signature", what: "x" }] })).toBe("doubt");
    expect(read("same", { ...good, good: false, findings: [{ code: "no-keys", what: "x" }] })).toBe("doubt");
    expect(read("same", { good: false, did: "", findings: [{ code: "no-proof", what: "x" }] })).toBe("doubt");
    expect(read("same", null)).toBe("doubt");
    expect(read("same", good, false)).toBe("doubt");
  });
  it("says which signature it has", () => {
    const of = (signature: unknown) => readVerdict({ verdict: "same", signature: signature as never }).signature;
    expect(of({ ...good, by: "enclosed" })).toBe("enclosed");
    expect(of({ ...good, good: false })).toBe("bad");
    expect(of({ ...good, good: false, findings: [{ code: "no-keys", what: "" }] })).toBe("unknown");
    expect(of(null)).toBe("none");
  });
  it("is none where the verdict is not understood", () => {
    expect(read("perhaps", good)).toBe("cannot");
    expect(readVerdict({}).verdict).toBe("cannot");
  });
  it("says where two results differ", () => {
    const told = readVerdict({
      verdict: "different",
      outputs: [{ layer: "s-1", output: "s", title: { ko: "해", en: "Sun" }, verdict: "different", max_difference: 0.5, unit: "h", count: 3, of: 9, where: { lon: 127.1, lat: 37.5, expected: 3, found: 2.5 } }],
    });
    expect(told.outputs[0]).toMatchObject({ where: { lon: 127.1, lat: 37.5 }, difference: 0.5, unit: "h", count: 3, of: 9, sent: "3", found: "2.5" });
  });
});

const cells = (values: number[]): Cells => ({ rows: 2, cols: 2, west: 209000, north: 546000, cell: 10, crs: "EPSG:5186", unit: "h", step: 1, values: Float32Array.from(values) });

describe("grids", () => {
  it("are counted without what is not known", () => {
    expect(statistics(cells([1, 3, NaN, 5]))).toMatchObject({ known: 3, area_m2: 300, least: 1, most: 5, mean: 3 });
    expect(statistics(cells([NaN, NaN, NaN, NaN])).known).toBe(0);
  });
  it("differ by what lies beyond the error, and the place of the most is told", () => {
    const d = difference(cells([1, 3, NaN, 5]), cells([1.2, 1, 4, 5]), 0.25);
    expect(d).toMatchObject({ both: 3, less: 1, more: 0, less_m2: 100, most: -2, at: [209015, 545995] });
    expect(d.usual).toBeCloseTo(2, 2);
    expect(() => difference(cells([1, 1, 1, 1]), { ...cells([1, 1, 1, 1]), cell: 5 })).toThrow(RangeError);
  });
  it("do not differ by just the error, however 32 bits round it", () => {
    const step = 7 / 60;
    const d = difference(cells([69, 50, 31, 7].map((n) => n * step)), cells([68, 49, 32, 5].map((n) => n * step)), step);
    expect([d.less, d.more]).toEqual([1, 0]);
  });
  it("share one round scale", () => {
    const of = (most: number, least = 0) => ({ known: 4, area_m2: 1, least, most, mean: 1, low: least, high: most });
    expect(scaleOf([of(6.2), of(8.05)])).toMatchObject({ low: 0, high: 8 });
    expect(scaleOf([of(0.93)])).toMatchObject({ low: 0, high: 1 });
    expect(scaleOfChange({ usual: 3.1, most: -6 })).toMatchObject({ low: -4, high: 4 });
    expect([0.03, 1, 2.2, 26, 1200].map(roundUp)).toEqual([0.04, 1, 4, 40, 2000]);
  });
  it("tell the value of the cell under a place", () => {
    // 209015, 545985 is the south-eastern cell; printed by pyproj 3.7.
    expect(valueAt(cells([1, 2, 3, 4]), 127.1019684, 37.5132988)).toBe(4);
    expect(valueAt(cells([1, 2, 3, 4]), 127, 37)).toBeNull();
  });
});

const answer = (outputs: unknown[], more: object = {}) => ({ process: "sunlight", inputs: { cell_m: 4 }, before: { present: true }, after: { present: true }, outputs, ...more });
const pair = (before: number, after: number, results: unknown[], objects: unknown[] = []): Pair => ({ before, after, said: { results, objects } as never });
const ground = (a: number, b: number, less: number, more: number) => ({ output: "ground", kind: "grid", comparable: true, unit: "h", error: 0.1, mean_before: a, mean_after: b, most_before: 8, most_after: 8, less_m2: less, more_m2: more });
const points = (rows: unknown[], left = 0) => ({
  output: "facades", kind: "features", comparable: true, error: 10, before: 3, after: 4,
  columns: [
    { name: "sun_min", unit: "min", mean_before: 60, mean_after: 50, sum_before: 180, sum_after: 200 },
    { name: "pv_kwh_a", unit: "kW.h/a", mean_before: 1, mean_after: 2, sum_before: 3, sum_after: 8 },
    { name: "verdict", unit: "", known_before: 3, met_before: 2, known_after: 4, met_after: 1 },
  ],
  buildings: [{ name: "sun_min", unit: "min", rows, more: left }],
});
const house = (id: string, a: number | null, b: number | null) => ({ id, n_before: a === null ? 0 : 2, n_after: b === null ? 0 : 2, mean_before: a, mean_after: b });

describe("a comparison", () => {
  it("puts the server's numbers of every two variants into one table", () => {
    const [group] = groupsOf([pair(0, 1, [answer([ground(5, 4.5, 20_000, 0)])]), pair(0, 2, [answer([ground(5, 4.8, 5_000, 1_000)])]), pair(1, 2, [answer([ground(4.5, 4.8, 7, 7)])])], 3);
    expect(group!.known).toEqual([true, true, true]);
    expect(group!.rows.map((r) => [r.measure, r.unit, r.values])).toEqual([
      ["mean", "h", [5, 4.5, 4.8]], ["area-less", "har", [null, 2, 0.5]], ["area-more", "har", [null, 0, 0.1]],
    ]);
  });
  it("adds amounts, takes the mean of rates, and counts verdicts", () => {
    const rows = groupsOf([pair(0, 1, [answer([points([])])])], 2)[0]!.rows;
    expect(rows.map((r) => [r.key, r.measure, r.values])).toEqual([
      ["facades-count", "count", [3, 4]], ["facades-sun_min", "mean", [60, 50]], ["facades-pv_kwh_a", "sum", [3, 8]],
      ["facades-verdict-pass", "pass", [2, 1]], ["facades-verdict-fail", "fail", [1, 3]],
    ]);
  });
  it("names the buildings that change by more than the error; what a whole list does not name has not changed", () => {
    const lists = (more: number) => groupsOf([pair(0, 1, [answer([points([house("a", 60, 30), house("b", 60, 55), house("new/1", null, 90)], more)])]), pair(0, 2, [answer([points([house("b", 60, 20)], more)])])], 3)[0]!.buildings[0]!.rows;
    expect(lists(0).map((r) => [r.id, r.values])).toEqual([["new/1", [null, 90, null]], ["b", [60, 55, 20]], ["a", [60, 30, 60]]]);
    expect(lists(5).map((r) => [r.id, r.values])).toEqual([["new/1", [null, 90, null]], ["b", [60, 55, 20]], ["a", [60, 30, null]]]);
  });
  it("keeps questions with other inputs apart, and says whose answer is of an earlier revision", () => {
    const groups = groupsOf([pair(0, 1, [answer([]), answer([], { inputs: { cell_m: 1, date: "" }, after: { present: false } })])], 2);
    expect(groups.map((g) => g.stale)).toEqual([[false, false], [false, true]]);
    expect(apartBy(groups, groups[0]!)).toEqual(["cell_m"]);
    expect(apartBy(groups.slice(0, 1), groups[0]!)).toEqual([]);
  });
  it("has a building that a plan does not touch as the city has it", () => {
    const was = { height_m: 30, area_m2: 100, floor_area_m2: 900, name: "Hall", lon: 127, lat: 37 };
    const rows = objectsOf([pair(0, 1, [], [{ object: "way/1", before: was, after: { ...was, height_m: 40 } }]), pair(0, 2, [], [{ object: "way/2", before: was, after: null }])], 3);
    expect(rows.filter((r) => r.measure === "height").map((r) => [r.id, r.values, r.gone])).toEqual([
      ["way/1", [30, 40, 30], [false, false, false]], ["way/2", [30, 30, null], [false, false, true]],
    ]);
  });
  it("is one only beyond the error", () => {
    expect([differs(1, 1.05, 0.1), differs(1, 1.2, 0.1), differs(null, 1, 9), differs(null, null, 0)]).toEqual([false, true, true, false]);
  });
});

describe("a form", () => {
  const process = {
    id: "view", version: "1",
    inputs: {
      scenario: { schema: { type: "string" } },
      observers: { schema: { type: "array", minItems: 1, items: { type: "object", properties: { lon: { type: "number" }, lat: { type: "number" } } } } },
      height_m: { schema: { type: "number", minimum: 0, maximum: 600, default: 1.6, "x-ogc-unit": "m" } },
      basis: { schema: { type: "string", enum: ["solar", "civil"], default: "solar" } },
      date: { schema: { type: "string", format: "date", default: "2026-12-22" } },
      exact: { schema: { type: "boolean", default: false } },
    },
  };
  it("is made from what the process says of its inputs", () => {
    expect(fieldsOf(process).map((f) => [f.name, f.kind, f.unit])).toEqual([
      ["observers", "places", ""], ["height_m", "number", "m"], ["basis", "choice", ""], ["date", "day", ""], ["exact", "switch", ""],
    ]);
  });
  it("sends what differs from the default and names what is wrong", () => {
    const fields = fieldsOf(process);
    const filled = fill(fields, { observers: [{ lon: 127, lat: 37, name: "x" }], height_m: "2.5", basis: "solar", exact: true });
    expect(filled).toEqual({ inputs: { observers: [{ lon: 127, lat: 37 }], height_m: 2.5, exact: true }, wrong: {} });
    expect(fill(fields, { observers: [], height_m: 900 }).wrong).toEqual({ observers: "missing", height_m: "high" });
  });
});

describe("numbers", () => {
  it("are written as people of the language write them", () => {
    expect(numberText(1234567.8, "ko")).toBe("1,234,568");
    expect(numberText(-0.1234, "en")).toBe("−0.123");
    expect(numberText(null, "en")).toBe("–");
    expect(changeText(2.5, "en")).toBe("+2.5");
    expect(durationText(3725, "ko")).toBe("1시간 2분");
    expect(durationText(65, "en")).toBe("1 min 5 s");
    expect(unitText("kW.h/m2/a", "en")).toBe("kWh/m²·year");
    expect(unitText("{storey}", "en")).toBe("storey");
    expect(bytesText(1_530_000, "en")).toBe("1.5 MB");
    expect(digestGroups("sha256:abcdef0123")).toEqual({ method: "sha256", groups: ["abcd", "ef01", "23"] });
  });
});
