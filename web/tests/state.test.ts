import { describe, expect, it } from "vitest";
import type { Arrays } from "../src/api/arrays";
import { minuteOf, sunAt } from "../src/state/clock";
import { planeFrame } from "../src/state/frame";
import { hhmm, readLink, writeLink } from "../src/state/link";
import { changeColour, facadeClass, FACADE_CLASSES, sunColour, type Rgb } from "../src/state/ramp";
import { layOver, type SunData } from "../src/state/sunlight";

describe("a link", () => {
  it("restores what it wrote", () => {
    const query =
      "?twin=jamsil&lang=en&date=2026-06-21&t=12:10&basis=civil&mode=lost&cam=127.102500,37.512500,812.0,20.0,-31.5&on=carparks,schools&sel=relation/8824257&edit=relation/8824257:120.5&lite=1";
    expect(writeLink(readLink(query))).toBe(query);
  });
  it("leaves what it does not understand at its default", () => {
    const link = readLink("?lang=fr&mode=x&cam=1,2,abc&t=99&date=2026-13-45&edit=nothing&basis=");
    expect(link).toMatchObject({ lang: "ko", mode: "shadow", camera: null, minute: null, date: null, edit: null, basis: "solar" });
  });
  it("writes the clock in hours and minutes", () => {
    expect(hhmm(484.4)).toBe("08:04");
  });
});

describe("the frame", () => {
  it("agrees with PROJ within a millimetre (EPSG:5186)", () => {
    // Printed by pyproj 3.7: Transformer.from_crs(4326, 5186, always_xy=True).transform(lon, lat)
    const places: [number, number, number, number][] = [
      [127.1025, 37.5125, 209062.0982, 545896.3989],
      [127.0, 38.0, 200000.0000, 600000.0000],
      [126.2, 33.4, 125575.6426, 89899.2632],
      [127.45, 37.27, 239913.2882, 519072.5208],
      [128.6, 35.9, 344449.7256, 368131.6768],
    ];
    const frame = planeFrame("EPSG:5186");
    for (const [lon, lat, x, y] of places) {
      const [px, py] = frame.fromLonLat(lon, lat);
      expect(Math.hypot(px - x, py - y)).toBeLessThan(1e-3);
      const [l, b] = frame.toLonLat(x, y);
      expect(Math.hypot((l - lon) * 88_000, (b - lat) * 111_000)).toBeLessThan(1e-3);
    }
  });
  it("turns grid north to the east of true north, east of the meridian", () => {
    const frame = planeFrame("EPSG:5186");
    const [x, y] = frame.fromLonLat(127.1, 37.5);
    expect(frame.convergence(x, y)).toBeCloseTo(0.1 * Math.sin((37.5 * Math.PI) / 180), 3);
  });
  it("refuses a frame that it does not know", () => {
    expect(() => planeFrame("EPSG:2097")).toThrow(RangeError);
  });
});

describe("the colours", () => {
  const lightness = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  it("rise in lightness with the sun hours, and fall with the change either way", () => {
    for (let i = 0; i < 64; i++) {
      expect(lightness(sunColour((i + 1) / 64))).toBeGreaterThanOrEqual(lightness(sunColour(i / 64)));
      expect(lightness(changeColour(-(i + 1) / 64))).toBeLessThanOrEqual(lightness(changeColour(-(i || 0.01) / 64)) + 0.5);
      expect(lightness(changeColour((i + 1) / 64))).toBeLessThanOrEqual(lightness(changeColour(i / 64)) + 0.5);
    }
  });
  it("tell a change of verdict before anything else, and nothing of a point that is gone", () => {
    const name = (bits: number) => FACADE_CLASSES[facadeClass(bits)] ?? "gone";
    expect(name(1 | 2)).toBe("pass");
    expect(name(0)).toBe("fail");
    expect(name(2 | 4)).toBe("newly_fail");
    expect(name(1)).toBe("newly_pass");
    expect(name(1 | 2 | 4)).toBe("near");
    expect(name(8)).toBe("cannot");
    expect(name(16 | 3)).toBe("gone");
  });
});

describe("the sun between two moments", () => {
  const path = { civil: [540, 550], solar: [510, 520], azimuth: [359, 1], altitude: [10, 12], sunrise: null, sunset: null };
  it("crosses north without going round", () => {
    const sun = sunAt(path, "civil", 545)!;
    expect(Math.min(sun.azimuth, 360 - sun.azimuth)).toBeLessThan(0.01);
    expect(sun.altitude).toBeCloseTo(11, 1);
  });
  it("differs between the clocks", () => {
    expect(sunAt(path, "solar", 515)!.altitude).toBeCloseTo(11, 1);
  });
  it("reads times with and without a date", () => {
    expect(minuteOf("2026-12-22T09:10:30+09:00")).toBe(550.5);
    expect(minuteOf("07:50")).toBe(470);
  });
});

describe("an edit's answer over the base", () => {
  const make = (): SunData => ({
    grid: { origin_x: 0, origin_y: 0, cell_m: 1, rows: 3, cols: 4, window: [0, 0, 3, 4] },
    base: new Uint8Array(12).fill(9), steps: new Uint8Array(12).fill(9), touched: [], origin: { x: 0, y: 0, z: 0 },
    xyz: new Float32Array(9), normal: new Float32Array(3), building: new Uint16Array(3), buildings: [],
    baseState: Uint8Array.of(3, 3, 0), state: Uint8Array.of(3, 3, 0), minutes: new Uint16Array(3), run: new Uint16Array(3),
    extraXyz: new Float32Array(0), extraState: new Uint8Array(0),
  });
  const answer = (window: number[], values: number[], index: number[], states: number[]): Arrays => ({
    header: { grid: { window }, buffers: [] },
    arrays: { sun_steps: Uint8Array.from(values), facade_index: Uint32Array.from(index), facade_state: Uint8Array.from(states) },
  });
  const none = { window: null, index: new Uint32Array(0) };
  it("changes only its window and its points, and the next one puts them back", () => {
    const data = make();
    const first = layOver(data, answer([0, 1, 2, 2], [1, 2, 3, 4], [1], [2]), none);
    expect([...data.steps]).toEqual([9, 1, 2, 9, 9, 3, 4, 9, 9, 9, 9, 9]);
    expect([...data.state]).toEqual([3, 2, 0]);
    const second = layOver(data, answer([2, 3, 1, 1], [7], [2], [1]), first);
    expect([...data.steps]).toEqual([9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 7]);
    expect([...data.state]).toEqual([3, 3, 1]);
    expect(data.touched).toEqual([[0, 1, 2, 2], [2, 3, 1, 1]]);
    layOver(data, null, second);
    expect([...data.steps]).toEqual([...data.base]);
    expect([...data.state]).toEqual([...data.baseState]);
  });
});
