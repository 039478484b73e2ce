import { describe, expect, it } from "vitest";
import type { JobStatus } from "../src/api/result";
import type { Told } from "../src/api/stream";
import { fieldsOf, fill } from "../src/panels/result/form";
import { bytesText, changeText, digestGroups, durationText, numberText, unitText } from "../src/panels/result/units";
import { after, followJob, secondsLeft, type Ears } from "../src/state/jobs";
import { difference, roundUp, scaleOf, scaleOfChange, statistics, valueAt, type Cells } from "../src/state/results";
import { meansBy, numbers, readCsv, sums, withBit } from "../src/state/tables";
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

describe("a table", () => {
  const table = readCsv('id,building,sun_min,verdict\r\nf1,"a, ""b""",60,1\r\nf2,"a, ""b""",,0\r\nf3,c,30,5\r\n');
  it("is read with its quotes, and empty is not nought", () => {
    expect(table.rows).toBe(3);
    expect(table.columns.get("building")).toEqual(['a, "b"', 'a, "b"', "c"]);
    expect(sums(numbers(table, "sun_min"))).toEqual({ known: 2, sum: 90, mean: 45 });
    expect(withBit(numbers(table, "verdict"), 1)).toBe(2);
  });
  it("is told building by building", () => {
    expect([...meansBy(table, "building", "sun_min")]).toEqual([['a, "b"', { n: 1, mean: 60 }], ["c", { n: 1, mean: 30 }]]);
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
