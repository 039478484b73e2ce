import { describe, expect, it } from "vitest";
import { evaluate, passes, readColour } from "../src/scene/style";

describe("the style's expressions", () => {
  it("interpolate by zoom, linear and exponential, and hold their ends", () => {
    const linear = ["interpolate", ["linear"], ["zoom"], 10, 1, 20, 11];
    expect([8, 15, 30].map((z) => evaluate(linear, z, {}))).toEqual([1, 6, 11]);
    expect(evaluate(["interpolate", ["exponential", 2], ["zoom"], 10, 0, 12, 3], 11, {})).toBeCloseTo(1);
    expect(evaluate({ stops: [[10, 2], [12, 4]] }, 11, {})).toBe(3);
  });
  it("mix colours", () => {
    expect(evaluate(["interpolate", ["linear"], ["zoom"], 0, "#000000", 2, "#ffffff"], 1, {})).toBe("rgba(128,128,128,1)");
    expect(readColour("#fff8")).toEqual([255, 255, 255, 136 / 255]);
  });
  it("match, case and coalesce by property", () => {
    expect(evaluate(["match", ["get", "kind"], ["a", "b"], 1, 2], 0, { kind: "b" })).toBe(1);
    expect(evaluate(["case", [">", ["get", "n"], 3], "x", "y"], 0, { n: 2 })).toBe("y");
    expect(evaluate(["coalesce", ["get", "no"], ["get", "name"]], 0, { name: "길" })).toBe("길");
  });
  it("leave out what they do not understand", () => {
    expect(evaluate(["heatmap-density"], 0, {})).toBeUndefined();
  });
});

describe("the style's filters", () => {
  it("read both forms", () => {
    expect(passes(["!", ["in", ["get", "kind"], ["literal", ["trunk"]]]], 0, { kind: "path" }, "LineString")).toBe(true);
    expect(passes(["==", ["get", "kind"], "park"], 0, { kind: "park" }, "Polygon")).toBe(true);
    expect(passes(["all", ["==", "$type", "Polygon"], ["!in", "kind", "a", "b"]], 0, { kind: "c" }, "Polygon")).toBe(true);
    expect(passes(["has", "name"], 0, {}, "Point")).toBe(false);
    expect(passes(undefined, 0, {}, "Point")).toBe(true);
  });
});
