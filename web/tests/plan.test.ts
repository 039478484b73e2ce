import { describe, expect, it } from "vitest";
import type { Entry, PlanOp } from "../src/api/plan";
import { readEvents } from "../src/api/stream";
import { meshOf } from "../src/scene/plan/mesh";
import { deeds, fold, inForce, steps, takenBack } from "../src/state/scenario-journal";
import {
  areaOf, bearing, block, centroid, crossing, edgeLengths, footprintArea, floorArea, heightOf, movedBy, newId, rectangle, signedArea, snapRight, storeysOf,
  turnedBy, type Ring, type XY,
} from "../src/state/scenario-shape";

const square: Ring = [[0, 0], [10, 0], [10, 10], [0, 10]];
const entry = (seq: number, kind: string, more: Partial<Entry> = {}): Entry => ({
  seq, kind, object: more.edit?.object ?? "way/1", author: { name: "가", kind: "anyone", verified: false }, at: "2026-11-22T00:00:00Z", client: "me", ...more,
});
const set = (object: string, more: object): PlanOp => ({ op: "set", object, ...more });

describe("a footprint", () => {
  it("has its area, its middle and its edges", () => {
    expect(areaOf(square)).toBe(100);
    expect(centroid(square)).toEqual([5, 5]);
    expect(edgeLengths(square)).toEqual([10, 10, 10, 10]);
    expect(signedArea([...square].reverse())).toBe(-100);
  });
  it("that crosses itself says where", () => {
    const bow: Ring = [[0, 0], [10, 10], [10, 0], [0, 10]];
    expect(crossing(bow)).toEqual([5, 5]);
    expect(crossing(square)).toBeNull();
    expect(crossing([[0, 0], [10, 0], [5, 5], [5, -5]], false)).toEqual([5, 0]);
  });
  it("is drawn on right angles along its first edge, and its last corner takes the first one's line", () => {
    const slanted: XY[] = [[0, 0], [30, 40]];
    const [x, y] = snapRight(slanted, [10, 62], 1);
    // Across the first edge: their product is nothing.
    expect((x - 30) * 30 + (y - 40) * 40).toBeCloseTo(0, 9);
    expect(snapRight([[0, 0], [20, 0], [20, 10]], [0.6, 10.3], 1)).toEqual([0, 10]);
    expect(snapRight([], [3, 4], 1)).toEqual([3, 4]);
  });
});

describe("a building in the hand", () => {
  it("keeps its shape when it is moved and turned", () => {
    const one = block("new/00000001", square, 30);
    const turned = turnedBy(movedBy(one, 5, -3), 90);
    expect(footprintArea(turned)).toBeCloseTo(100, 9);
    expect(centroid(turned.parts[0]!.outline)[0]).toBeCloseTo(10, 9);
    expect(centroid(turned.parts[0]!.outline)[1]).toBeCloseTo(2, 9);
  });
  it("turns clockwise as a compass does", () => {
    const north = turnedBy(block("new/00000001", rectangle([0, 0], 40, 10), 30), 90).parts[0]!.outline;
    expect(Math.max(...north.map((p) => p[1]))).toBeCloseTo(20, 9);
    expect(bearing([0, 0], [1, 0])).toBeCloseTo(90, 9);
  });
  it("takes its parts with its height", () => {
    const one = block("new/00000001", square, 30);
    one.parts.push({ ...one.parts[0]!, base_m: 30, eave_m: 45, top_m: 60 });
    const half = heightOf(one, 30);
    expect(half.parts.map((p) => [p.base_m, p.eave_m, p.top_m])).toEqual([[0, 15, 15], [15, 22.5, 30]]);
  });
  it("counts storeys and floor area as the server does", () => {
    expect(storeysOf(44.9, 3)).toBe(15);
    expect(storeysOf(2, 3)).toBe(1);
    expect(floorArea(block("new/00000001", square, 45))).toBe(1500);
  });
  it("has an id that the server knows for new", () => expect(newId()).toMatch(/^new\/[0-9a-f]{8}$/));
  it("is drawn closed: every edge of its walls and roof is met once from each side", () => {
    const mesh = meshOf(block("new/00000001", [[0, 0], [20, 0], [20, 8], [8, 8], [8, 20], [0, 20]], 12));
    const at = (i: number) => [...mesh.corners.slice(i * 4, i * 4 + 3)].map((v) => v.toFixed(3)).join();
    const seen = new Map<string, number>();
    for (let i = 0; i < mesh.triangles.length; i += 3)
      for (let k = 0; k < 3; k++) {
        const [a, b] = [at(mesh.triangles[i + k]!), at(mesh.triangles[i + ((k + 1) % 3)]!)];
        seen.set(`${a}|${b}`, (seen.get(`${a}|${b}`) ?? 0) + 1);
      }
    const open = [...seen.keys()].filter((key) => !seen.has(key.split("|").reverse().join("|")));
    // The foot stays open: nobody sees it.
    expect(open.every((key) => key.split("|").every((p) => p.endsWith(",0.000")))).toBe(true);
    expect([...seen.values()].every((n) => n === 1)).toBe(true);
  });
});

describe("a journal", () => {
  const add: PlanOp = { op: "add", object: "new/00000001", parts: [{ top_m: 20 }] };
  it("has in force what nobody took back, and a set stands beside what made the building", () => {
    const entries = [
      entry(1, "edit", { edit: add }), entry(2, "edit", { edit: set("new/00000001", { height_m: 30 }) }),
      entry(3, "edit", { edit: set("new/00000001", { move: [4, 0] }) }), entry(4, "undo", { entry: 2 }),
    ];
    expect(inForce(entries)).toEqual([add, set("new/00000001", { move: [4, 0] })]);
    expect(takenBack(entries)).toEqual(new Map([[2, 4]]));
    // Taking the taking back away brings the edit again.
    expect(inForce([...entries, entry(5, "undo", { entry: 4 })])[1]).toMatchObject({ height_m: 30, move: [4, 0] });
  });
  it("knows nothing of a new building that is removed again", () => {
    expect(fold([add, { op: "remove", object: "new/00000001" }])).toEqual([]);
    expect(fold([{ op: "remove", object: "way/1" }, set("way/1", { height_m: 3 })])).toEqual([{ op: "remove", object: "way/1" }]);
  });
  it("takes back one's own last edit only, and brings it again until something new is done", () => {
    const mine = entry(1, "edit", { edit: set("way/1", { height_m: 9 }) });
    const theirs = entry(2, "edit", { edit: set("way/2", { height_m: 9 }), client: "other" });
    expect(steps([mine, theirs], "me")).toEqual({ undo: mine, redo: null });
    const undo = entry(3, "undo", { entry: 1 });
    expect(steps([mine, theirs, undo], "me")).toEqual({ undo: null, redo: undo });
    const more = entry(4, "edit", { edit: set("way/3", { height_m: 9 }) });
    expect(steps([mine, theirs, undo, more], "me")).toEqual({ undo: more, redo: null });
  });
  it("tells what an edit did against what was set before", () => {
    expect(deeds(set("way/1", { height_m: 9, move: [1, 0] }), set("way/1", { height_m: 9 }))).toEqual(["move"]);
    expect(deeds({ ...add, from: "way/1" }, undefined)).toEqual(["copy"]);
  });
});

describe("a stream of events", () => {
  it("is read as it comes in pieces, with names, numbers and lines", () => {
    const first = readEvents("id: 3\nevent: entry\ndata: {\"a\":\ndata: 1}\n\n: life\n\nid: 4\nda");
    expect(first.events).toEqual([{ id: "3", event: "entry", data: "{\"a\":\n1}" }]);
    expect(readEvents(`${first.rest}ta: x\r\n\r\n`).events).toEqual([{ id: "4", event: "message", data: "x" }]);
  });
});
