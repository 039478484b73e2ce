import { describe, expect, it } from "vitest";
import type { EventBrief, EventText } from "../src/api/events";
import type { Agreement, Dataset } from "../src/api/exchange";
import { monthsOf, splitOf } from "../src/state/events-list";
import { inOrder, rankColour, verdict, worstFirst } from "../src/state/events-score";
import { apart, audienceOf, degrees, facing, platformOf, stepped, tentOf } from "../src/state/events-shape";
import { besideOf, blankEvent, bothWays, dayType, lacks, momentIn, newStage, newStand, nextId, sameText, textOf, whenOf } from "../src/state/events-text";
import { around, grounds, venueOffers, venueTerms } from "../src/state/events-venue";
import { planeFrame } from "../src/state/frame";
import { latest } from "../src/state/latest";
import { readLink, writeLink } from "../src/state/link";
import { areaOf, footprintArea } from "../src/state/scenario-shape";
import { sunOver } from "../src/state/solar";

const [LON, LAT] = [127.0981982, 37.50936664];
const event = (): EventText => {
  const e = blankEvent("festival", { name: { ko: "서울놀이마당", en: "" }, venue: "서울놀이마당", lon: LON, lat: LAT }, "Asia/Seoul", "2027-07-20");
  e.title.ko = "거북놀이";
  e.organiser.name = "이천문화재단";
  return e;
};

describe("a place on the ground", () => {
  it("is moved by metres, as far as the frame of the twin measures", () => {
    const frame = planeFrame("EPSG:5186");
    const [a, b] = [frame.fromLonLat(LON, LAT), frame.fromLonLat(...stepped(LON, LAT, 30, 40))];
    expect(Math.hypot(b[0] - a[0], b[1] - a[1])).toBeCloseTo(50, 2);
  });
  it("lies so many metres east and north of another", () => {
    const [lon, lat] = stepped(LON, LAT, -12, 7);
    const [east, north] = apart({ lon: LON, lat: LAT }, { lon, lat });
    expect(east).toBeCloseTo(-12, 3);
    expect(north).toBeCloseTo(7, 3);
  });
  it("has a heading from 0 to 360", () => {
    expect([degrees(-5), degrees(365), degrees(720)]).toEqual([355, 5, 0]);
  });
});

describe("what stands there", () => {
  const frame = planeFrame("EPSG:32652");
  it("is a tent of its own size whose counter is on the side that it faces", () => {
    const stand = { ...newStand(event(), LON, LAT, 90), width_m: 4, depth_m: 3 };
    const tent = tentOf(frame, stand);
    const roof = tent.parts[tent.parts.length - 1]!;
    expect(areaOf(roof.outline)).toBeCloseTo(12, 3);
    expect(roof.roof_shape).toBe("pyramidal");
    const counter = tent.parts[4]!;
    const middle = frame.fromLonLat(LON, LAT);
    // Facing east: the counter lies east of the middle (true east; the grid of zone 52 is turned by 1.2° there).
    expect(Math.min(...counter.outline.map((p) => p[0] - middle[0]))).toBeGreaterThan(0.5);
  });
  it("is a stage of its size with its audience before it", () => {
    const stage = newStage(LON, LAT, 180);
    expect(footprintArea(platformOf(frame, stage))).toBeCloseTo(60, 3);
    const middle = frame.fromLonLat(LON, LAT);
    expect(Math.max(...audienceOf(frame, stage).map((p) => p[1] - middle[1]))).toBeLessThan(-2);
    const [from, tip] = facing(frame, stage, 4);
    expect(tip[1]).toBeLessThan(from[1]);
  });
  it("comes beside what stands already, in its line", () => {
    const e = event();
    e.stands.push(newStand(e, LON, LAT, 0));
    const next = besideOf(e);
    const [east, north] = apart({ lon: LON, lat: LAT }, next);
    expect(east).toBeCloseTo(5, 3);
    expect(north).toBeCloseTo(0, 3);
    expect(nextId("s", e.stands)).toBe("s2");
  });
});

describe("an event", () => {
  it("is looked at on its day in whole hours, and a Saturday walks as one", () => {
    const e = event();
    [e.start, e.end] = ["2027-09-18T11:00:00+09:00", "2027-09-18T18:30:00+09:00"];
    expect(whenOf(e)).toEqual({ day: "2027-09-18", from_h: 11, to_h: 19, day_type: "saturday" });
    expect([dayType("2027-09-19"), dayType("2027-09-20")]).toEqual(["holiday", "weekday"]);
  });
  it("has its moments in the city's zone", () => {
    expect(momentIn("2027-09-18", "11:00", "Asia/Seoul")).toBe("2027-09-18T11:00:00+09:00");
    expect(momentIn("", "11:00", "Asia/Seoul")).toBe("");
  });
  it("says what it lacks, and nothing once it is whole", () => {
    const e = event();
    expect(lacks(e)).toEqual([]);
    e.title.ko = " ";
    e.end = e.start;
    e.visitors.error = -1;
    e.programme.push({ id: "p1", start: "2020-01-01T10:00:00+09:00", end: "2020-01-01T11:00:00+09:00", stage: "", title: { ko: "가", en: "" }, performers: [], section: "", about: { ko: "", en: "" } });
    expect(lacks(e)).toEqual(["title", "times", "visitors", "programme"]);
  });
  it("stands in both languages where it was written in one, and what was read is not touched", () => {
    const e = event();
    const sent = bothWays(e);
    expect(sent.title).toEqual({ ko: "거북놀이", en: "거북놀이" });
    expect(e.title.en).toBe("");
    expect(sameText(e, textOf(e))).toBe(true);
    expect(sameText(e, sent)).toBe(false);
  });
});

describe("the calendar", () => {
  const brief = (id: string, start: string, more: Partial<EventBrief> = {}): EventBrief => ({
    id, kind: "festival", title: { ko: id, en: id }, place: { name: { ko: "석촌호수", en: "Seokchon lake" }, venue: "", lon: null, lat: null }, start: `${start}T00:00:00+09:00`, end: `${start}T10:00:00+09:00`,
    all_day: false, state: "draft", origin: "own", visitors: null, stands: 0, stage: false, joint: "", host: "", agreement: "", revision: 1, link: "", ...more,
  });
  it("has what comes first, soonest first; what is over or was called off apart; listings newest first", () => {
    const all = [brief("b", "2028-01-02"), brief("a", "2027-09-18"), brief("past", "2025-01-01"), brief("off", "2028-05-05", { state: "cancelled" }), brief("l1", "2022-08-13", { origin: "listing" }), brief("l2", "2023-08-13", { origin: "listing" })];
    const { coming, past, listed } = splitOf(all, "2026-11-22T00:00:00Z");
    expect(coming.map((e) => e.id)).toEqual(["a", "b"]);
    expect(past.map((e) => e.id)).toEqual(["off", "past"]);
    expect(listed.map((e) => e.id)).toEqual(["l2", "l1"]);
    const months = monthsOf(listed, "호수", "Asia/Seoul");
    expect(months.map((m) => m.month)).toEqual(["2023-08", "2022-08"]);
    expect(monthsOf(listed, "l1 lake", "Asia/Seoul").flatMap((m) => m.all.map((e) => e.id))).toEqual(["l1"]);
  });
});

describe("a score", () => {
  it("is told by what weighs most, what nobody knows last, what is wrong first", () => {
    const part = (code: string, weight: number, known = true) => ({ code, value: 1, unit: "m", score: 0.5, weight, known, source: "computed" });
    expect(inOrder([part("power", 0.9, false), part("exits", 0.1), part("footfall", 0.3)]).map((p) => p.code)).toEqual(["footfall", "exits", "power"]);
    const found = (level: "bad" | "warn" | "info") => ({ code: level, text: { ko: "", en: "" }, level });
    expect(worstFirst([found("info"), found("bad"), found("warn")]).map((f) => f.level)).toEqual(["bad", "warn", "info"]);
  });
  it("has a colour that darkens as it rises, and grey where it is not known", () => {
    const light = (s: number) => rankColour(s).reduce((a, b) => a + b, 0);
    expect(light(20)).toBeGreaterThan(light(60));
    expect(light(60)).toBeGreaterThan(light(95));
    expect(rankColour(null)).toEqual([0.72, 0.71, 0.7]);
    expect([verdict(null), verdict(10), verdict(50), verdict(80)]).toEqual(["unknown", "bad", "fair", "good"]);
  });
});

describe("questions that follow a hand", () => {
  it("are asked one at a time, and of those that wait only the newest", async () => {
    const asked: number[] = [];
    const heard: number[] = [];
    const doors: (() => void)[] = [];
    const one = latest<number, number>((q) => new Promise((go) => { asked.push(q); doors.push(() => go(q)); }), (a) => heard.push(a), () => undefined);
    for (const q of [1, 2, 3, 4]) one.ask(q);
    expect(asked).toEqual([1]);
    doors[0]!();
    await new Promise((go) => setTimeout(go));
    expect(asked).toEqual([1, 4]);
    doors[1]!();
    await new Promise((go) => setTimeout(go));
    expect(heard).toEqual([1, 4]);
    expect(one.busy).toBe(false);
  });
  it("that were forgotten are not heard, and a refusal does not stop the next", async () => {
    const heard: string[] = [];
    const one = latest<string, string>(async (q) => { if (q === "bad") throw new Error(q); return q; }, (a) => heard.push(a), (e) => heard.push(String((e as Error).message)));
    one.ask("gone");
    one.forget();
    one.ask("bad");
    one.ask("good");
    await new Promise((go) => setTimeout(go));
    expect(heard).toEqual(["bad", "good"]);
  });
});

describe("the sun over another city", () => {
  it("stands where the almanac has it", () => {
    // Seoul, 2027-09-18 14:00 KST: the server's own answer for the twin (NREL SPA) is 48.4° high.
    const sun = sunOver(Date.parse("2027-09-18T14:00:00+09:00"), 127.1, 37.51);
    expect(sun.altitude).toBeCloseTo(48.4, 0);
    expect(sun.azimuth).toBeGreaterThan(200);
    const noon = sunOver(Date.parse("2026-06-21T12:32:00+09:00"), 127, 37.5);
    expect(noon.altitude).toBeCloseTo(90 - 37.5 + 23.44, 0);
    expect(sunOver(Date.parse("2027-09-18T01:00:00+09:00"), 127.1, 37.51).altitude).toBeLessThan(0);
  });
});

describe("a venue that is given", () => {
  const city: [number, number, number, number] = [127.08, 37.509, 127.12, 37.53];
  it("is a box about it within the city, and names only what the city has", () => {
    const box = around(LON, LAT, 450, city)!;
    expect(box[1]).toBe(37.509);
    expect(box[2] - box[0]).toBeCloseTo(0.01018, 4);
    expect(around(126, 36, 100, city)).toBeNull();
    const terms = venueTerms({ layers: ["buildings", "roads", "schools"], processes: ["stands", "view"] }, box, "2027-12-31T14:59:59Z", "서울");
    expect(terms.assets).toEqual(["layer:buildings", "layer:roads", "process:stands"]);
    expect(terms.purposes).toEqual(["joint-event"]);
  });
  it("is found among agreements and offers, those in force first", () => {
    const terms = venueTerms({ layers: [], processes: [] }, city, "", "");
    const agreement = (id: string, state: string, role: string, purposes = terms.purposes) => ({ id, state, role, terms: { ...terms, purposes } }) as unknown as Agreement;
    expect(grounds([agreement("a", "ended", "consumer"), agreement("b", "active", "consumer"), agreement("c", "active", "provider"), agreement("d", "active", "consumer", ["research"])]).map((a) => a.id)).toEqual(["b", "a"]);
    const dataset = { id: "d", offers: [{ id: "o1", terms }, { id: "o2", terms: { ...terms, purposes: ["research"] } }] } as unknown as Dataset;
    expect(venueOffers([dataset]).map((o) => o.offer)).toEqual(["o1"]);
  });
});

describe("a link", () => {
  it("restores the place in the column of events", () => {
    const link = readLink("?twin=icheon&events=event/ev-1");
    expect(link.events).toBe("event/ev-1");
    expect(writeLink(link)).toContain("events=event/ev-1");
    expect(readLink("?twin=icheon").events).toBeNull();
    expect(writeLink(readLink("?events="))).toContain("events=");
  });
});
