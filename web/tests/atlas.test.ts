import { describe, expect, it } from "vitest";

import { hit, inside, middle, shape, surface, type Loop, type Prism } from "../src/scene/atlas-prism";
import { place } from "../src/scene/atlas-labels";
import { read, written } from "../src/state/atlas/link";
import { kinds, villages, type Herd } from "../src/state/atlas/livestock";
import { monthYears, readProduce, townFinder } from "../src/state/atlas/load";
import { drawn } from "../src/state/atlas/map";
import { ageFrom, aged, people, pyramid, shares, type AgeCount } from "../src/state/atlas/people";
import { byTown, townAt, types, type Place } from "../src/state/atlas/places";
import { daily, dayNumber, latest, months as priceMonths, saleUnit, type Quote } from "../src/state/atlas/prices";
import { breaks, classOf, legend, measure, ranking, rounded, total, type Town } from "../src/state/atlas/towns";
import { basis, dot, fit, project, scaleBar, unproject, type View } from "../src/state/atlas/view";
import { days, months, rose, type Hours } from "../src/state/atlas/weather";
import { polar, ticks } from "../src/panels/charts/scale";

// The real towns of Icheon, June 2024 (SGIS, MOIS): people and area in km².
const REAL: [string, string, number, number][] = [
  ["4150025000", "장호원읍", 14328, 60.4218], ["4150025300", "부발읍", 37132, 41.9341], ["4150031000", "신둔면", 14129, 36.4313],
  ["4150032000", "백사면", 11364, 32.5317], ["4150033000", "호법면", 6113, 37.9365], ["4150034000", "마장면", 16085, 51.4449],
  ["4150035000", "대월면", 14208, 31.3775], ["4150036000", "모가면", 4118, 41.068], ["4150037000", "설성면", 4434, 51.7533],
  ["4150038000", "율면", 2515, 36.7704], ["4150051000", "창전동", 15919, 1.134], ["4150051500", "증포동", 57188, 8.9296],
  ["4150052000", "중리동", 15520, 22.0116], ["4150053000", "관고동", 9561, 7.7578],
]; // prettier-ignore
const TOWNS: Town[] = REAL.map(([id, ko, n, km2]) => ({ id, ko, en: "", polygons: [], facts: { people: n, area_km2: km2 } }));

describe("the towns", () => {
  it("add up to the city's people and area", () => {
    expect(total(TOWNS, "people")).toBe(222_614);
    expect(total(TOWNS, "area_km2")).toBeCloseTo(461.5, 2);
    expect(total(TOWNS, "doctors")).toBeNull();
  });
  it("rank from the most to the least, towns without a value last", () => {
    const rows = ranking([...TOWNS, { id: "0", ko: "없음", en: "", polygons: [], facts: {} }], measure("people"));
    expect(rows.slice(0, 2).map((r) => r.town.ko)).toEqual(["증포동", "부발읍"]);
    expect(rows[13]).toMatchObject({ rank: 14, value: 2515 });
    expect(rows[14]).toMatchObject({ rank: null, value: null });
  });
  it("share a rank when they share a value", () => {
    const same = ["a", "b", "c"].map((id, i) => ({ id, ko: id, en: "", polygons: [], facts: { people: i === 2 ? 1 : 5 } }));
    expect(ranking(same, measure("people")).map((r) => r.rank)).toEqual([1, 1, 3]);
  });
  it("are as dense as people over area", () => {
    expect(measure("density").value(TOWNS[10]!)).toBeCloseTo(15919 / 1.134);
  });
  it("fall into classes of which none is empty and all hold every town", () => {
    const values = TOWNS.map((t) => t.facts.people!);
    const limits = breaks(values);
    expect([...limits].sort((a, b) => a - b)).toEqual(limits);
    const key = legend(values, limits);
    expect(key.reduce((n, c) => n + c.towns, 0)).toBe(14);
    expect(key.every((c) => c.towns > 0)).toBe(true);
    expect(classOf(57188, limits)).toBe(limits.length);
  });
  it("with one value have one class", () => {
    expect(breaks([3, 3, 3])).toEqual([]);
    expect(breaks([])).toEqual([]);
  });
  it("that have none are told apart from those that have few", () => {
    const herds = [0, 0, 5, 900].map((n, i) => ({ id: String(i), ko: "", en: "", polygons: [], facts: { pigs: n } }));
    const { key, towns } = drawn(herds, "pigs");
    expect(key.classes[0]).toMatchObject({ from: 0, to: 0, towns: 2 });
    expect(towns[3]!.rise).toBe(1);
    expect(towns[0]!.rise).toBe(0);
  });
  it("are found by code, by the shorter code and by name", () => {
    const find = townFinder(TOWNS);
    expect([find("4150038000"), find("41500380"), find("율면"), find("없음"), find("")]).toEqual(["4150038000", "4150038000", "4150038000", null, null]);
  });
  it("round to two figures", () => {
    expect([14038, 0.1234, 0, 99.6].map((v) => rounded(v))).toEqual([14000, 0.12, 0, 100]);
  });
});

describe("people by age", () => {
  const counts: AgeCount[] = [
    { town: "a", from: 0, sex: "male", people: 10 },
    { town: "a", from: 0, sex: "female", people: 12 },
    { town: "b", from: 0, sex: "male", people: 3 },
    { town: "a", from: 65, sex: "female", people: 5 },
    { town: "a", from: 100, sex: "male", people: 1 },
  ];
  it("count children under one in the group that the file calls 01-04", () => {
    expect(["01-04", "05-09", "95-99", "100+"].map(ageFrom)).toEqual([0, 5, 95, 100]);
  });
  it("add up over towns, and the oldest band is open", () => {
    const bands = pyramid(counts);
    expect(bands[0]).toEqual({ from: 0, to: 64, male: 13, female: 12 });
    expect(bands[bands.length - 1]!.to).toBeNull();
    expect(people(bands)).toBe(31);
    expect(people(pyramid(counts, new Set(["b"])))).toBe(3);
  });
  it("are aged and shared", () => {
    expect(aged(pyramid(counts), 65)).toBe(6);
    expect(aged(pyramid(counts), 0, 15)).toBe(25);
    expect(shares(pyramid(counts)).reduce((n, b) => n + b.male + b.female, 0)).toBeCloseTo(100);
  });
});

describe("places", () => {
  const square: [number, number][] = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]];
  const hole: [number, number][] = [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1], [0.5, 0.5]];
  it("lie in the town around them, not in its holes", () => {
    const towns = [{ id: "t", polygons: [[square, hole]] }];
    expect(townAt(1.5, 1.5, towns)).toBe("t");
    expect(townAt(0.7, 0.7, towns)).toBeNull();
    expect(townAt(3, 3, towns)).toBeNull();
  });
  it("are counted by type and town", () => {
    const one = (type: string, town: string | null): Place => ({ id: "", kind: "schools", type, ko: "", en: "", town, at: null, since: "" });
    const list = [one("초등학교", "a"), one("초등학교", "a"), one("중학교", "a"), one("중학교", null)];
    expect(types(list)).toEqual([{ type: "중학교", count: 2 }, { type: "초등학교", count: 2 }]);
    expect(byTown(list).get("a")!.get("초등학교")).toBe(2);
  });
});

describe("livestock", () => {
  const herds: Herd[] = [
    { code: "1", village: "가리", town: "a", kind: "pig", heads: 100, farms: 1 },
    { code: "1", village: "가리", town: "a", kind: "pig", heads: 50, farms: 2 },
    { code: "2", village: "나리", town: "b", kind: "pig", heads: 400, farms: 1 },
    { code: "2", village: "나리", town: "b", kind: "deer", heads: 4, farms: 1 },
  ];
  it("adds up by kind and town", () => {
    const [pig, deer] = kinds(herds);
    expect(pig).toMatchObject({ kind: "pig", heads: 550, farms: 4 });
    expect(pig!.byTown.get("a")).toBe(150);
    expect(deer!.heads).toBe(4);
  });
  it("adds up the rows of one village", () => {
    expect(villages(herds, "pig").map((v) => [v.village, v.heads])).toEqual([["나리", 400], ["가리", 150]]);
    expect(villages(herds, "pig", "a")).toHaveLength(1);
  });
});

describe("prices", () => {
  // Rice, 20 kg, upper grade (KAMIS): Thursday, Friday, a closed Saturday, no row on Sunday, Monday.
  const quotes: Quote[] = [
    { day: "2020-04-09", price: 47100, normal: 40571 },
    { day: "2020-04-10", price: 47100, normal: 40572 },
    { day: "2020-04-11", price: null, normal: 40572 },
    { day: "2020-04-13", price: 47100, normal: 40573 },
  ];
  it("leave a gap where the market was closed and where the file has no day", () => {
    const line = daily(quotes);
    expect(line.time).toHaveLength(5);
    expect(line.time[0]).toBe(dayNumber("2020-04-09"));
    expect(line.price).toEqual([47100, 47100, null, null, 47100]);
    expect(line.normal[3]).toBeNull();
  });
  it("sum up months and count the closed days", () => {
    expect(priceMonths(quotes)).toEqual([{ month: "2020-04", mean: 47100, least: 47100, most: 47100, quoted: 3, empty: 1 }]);
    expect(latest(quotes.slice(0, 3))!.day).toBe("2020-04-10");
    expect(latest([])).toBeNull();
    expect(daily([]).time).toEqual([]);
  });
  it("say what they are for", () => {
    expect(saleUnit("rice_20kg")).toEqual({ amount: 20, by: "kg" });
    expect(saleUnit("cucumber_dadagi_100")).toEqual({ amount: 100, by: "piece" });
    expect(saleUnit("rice")).toBeNull();
  });
  it("take the normal year's price from the other series, day by day", () => {
    const answer = { time: ["2020-04-09T00:00:00", "2020-04-10T00:00:00"], columns: { rice_20kg: { unit: "[KRW]", values: [null, 47100] }, none: { unit: "", values: [null, null] } } };
    const normals = { time: ["2020-04-09T00:00:00"], columns: { rice_20kg: { unit: "[KRW]", values: [40571] } } };
    const produce = readProduce(answer, normals, [{ name: "rice_20kg", type: "number", unit: "[KRW]", title: { ko: "쌀", en: "Rice" } }]);
    expect(produce).toHaveLength(1);
    expect(produce[0]).toMatchObject({ names: { en: "Rice" }, quotes: [{ price: null, normal: 40571 }, { price: 47100, normal: null }] });
  });
});

describe("the typical year", () => {
  const hours: Hours = {
    month: [1, 1, 1, 2], day: [1, 1, 2, 1], temperature: [-8, 2, null, 5], sun: [0, 500, 250, 1000], rain: [0, 1.5, 0, null],
    direction: [0, 350, 90, 181], speed: [0, 1.9, 0.5, 4], years: [],
  }; // prettier-ignore
  it("has a least, mean and greatest temperature a day, and skips days without one", () => {
    expect(days(hours)).toEqual([{ month: 1, day: 1, least: -8, mean: -3, most: 2 }, { month: 2, day: 1, least: 5, mean: 5, most: 5 }]);
  });
  it("adds up sun in kWh/m² and rain in mm; rain that is not there is null", () => {
    expect(months(hours).map((m) => [m.month, m.sun, m.rain])).toEqual([[1, 0.75, 1.5], [2, 1, null]]);
  });
  it("puts wind from 350° with the north and still air in no sector", () => {
    const wind = rose(hours);
    expect([wind.calm, wind.all]).toEqual([1, 4]);
    expect(wind.hours[0]).toEqual([0, 1, 0, 0, 0]);
    expect(wind.hours[8]![4]).toBe(1);
  });
  it("names the year of each month only when all twelve are stated", () => {
    const words = "Period of Record=2009-2023; Jan=2009; Feb=2016; Mar=2016; Apr=2012; May=2009; Jun=2015; Jul=2012; Aug=2013; Sep=2014; Oct=2014; Nov=2018; Dec=2010";
    expect(monthYears(words)).toEqual([2009, 2016, 2016, 2012, 2009, 2015, 2012, 2013, 2014, 2014, 2018, 2010]);
    expect(monthYears("Jan=2009")).toEqual([]);
  });
});

describe("the view", () => {
  const size = { width: 800, height: 600 };
  const view: View = { x: 1200, y: -300, scale: 40, heading: 30, pitch: 50 };
  it("has an upright basis", () => {
    const { right, up, forward } = basis(view);
    for (const [a, b] of [[right, up], [up, forward], [forward, right]] as const) expect(dot(a, b)).toBeCloseTo(0);
    for (const a of [right, up, forward]) expect(dot(a, a)).toBeCloseTo(1);
  });
  it("puts a place of the picture back where it came from, at any height", () => {
    for (const z of [0, 2500]) {
      const [px, py] = project([5000, 7000, z], view, size);
      const [x, y] = unproject(px, py, view, size, z);
      expect([x, y].map((v) => Math.round(v))).toEqual([5000, 7000]);
    }
  });
  it("fits all points inside the insets", () => {
    const points = [[-9000, -15000, 0], [11000, 18000, 5000], [4000, -2000, 0]] as const;
    const inset = { top: 100, right: 20, bottom: 60, left: 30 };
    const fitted = fit(points, { heading: 0, pitch: 52 }, size, inset);
    for (const p of points) {
      const [x, y] = project(p, fitted, size);
      expect(x).toBeGreaterThanOrEqual(29.9);
      expect(x).toBeLessThanOrEqual(780.1);
      expect(y).toBeGreaterThanOrEqual(99.9);
      expect(y).toBeLessThanOrEqual(540.1);
    }
  });
  it("has a round scale bar no longer than asked", () => {
    expect(scaleBar(41, 110)).toMatchObject({ metres: 2000 });
    expect(scaleBar(41, 110).pixels).toBeLessThanOrEqual(110);
  });
  it("goes into a link and back", () => {
    const atlas = { measure: "people", raised: true };
    expect(written(atlas)).toBe("");
    read("density,flat", atlas);
    expect(atlas).toEqual({ measure: "density", raised: false });
    expect(written(atlas)).toBe("density,flat");
    read("nonsense", atlas);
    expect(atlas.measure).toBe("density");
  });
});

describe("a prism", () => {
  const ring: Loop = [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]];
  const square = shape([ring]);
  const fan = (points: Loop): number[] => points.slice(2).flatMap((_, i) => [0, i + 1, i + 2]);
  it("runs counter-clockwise whichever way the ring ran", () => {
    expect(square[0]).toHaveLength(4);
    expect(shape([[...ring].reverse()])[0]).toHaveLength(4);
    expect(surface([square], 5, fan).indices).toHaveLength(3 * (2 + 4 * 2));
  });
  it("faces outward with every wall", () => {
    const { facing } = surface([square], 5, fan);
    expect(new Set([...facing].map((f) => Math.round(f)))).toEqual(new Set([0, 1, 91, 181, 271]));
  });
  it("has its name in its middle", () => {
    const [x, y] = middle([square]);
    expect([Math.round(x), Math.round(y)]).toEqual([5, 5]);
    expect(inside(x, y, [square])).toBe(true);
  });
  it("hides the one behind it from a slanting ray", () => {
    const near: Prism = { id: "near", shapes: [square], height: 20 };
    const far: Prism = { id: "far", shapes: [shape([ring.map(([x, y]) => [x, y + 12] as [number, number])])], height: 1 };
    const { forward } = basis({ heading: 0, pitch: 45 });
    expect(hit([far, near], [5, 15], forward)).toBe("near");
    expect(hit([far, near], [5, 15], basis({ heading: 0, pitch: 90 }).forward)).toBe("far");
    expect(hit([far, near], [50, 50], forward)).toBeNull();
  });
});

describe("labels and marks", () => {
  it("do not cover one another, and give way to the heavier", () => {
    const box = { x: 100, y: 100, width: 60, height: 30 };
    const at = place([{ ...box, weight: 1 }, { ...box, weight: 2 }], { width: 400, height: 400 });
    expect(at[1]).toEqual([100, 100]);
    expect(at[0]).not.toEqual([100, 100]);
    expect(Math.abs(at[0]![0] - 100) >= 60 || Math.abs(at[0]![1] - 100) >= 30).toBe(true);
  });
  it("are left out where there is no room", () => {
    expect(place([{ x: 5, y: 5, width: 60, height: 30, weight: 1 }], { width: 20, height: 20 })).toEqual([null]);
  });
  it("stand on round numbers that reach the greatest value", () => {
    expect(ticks(541.4, 3)).toEqual([0, 200, 400, 600]);
    expect(ticks(0)).toEqual([0]);
    expect(polar(10, 90)[0]).toBeCloseTo(10);
    expect(polar(10, 90)[1]).toBeCloseTo(0);
  });
});
