import { describe, expect, it } from "vitest";
import type { Account, Certificate, Figure, Finding, Lot, Need, Product } from "../src/api/produce";
import type { Feature } from "../src/api/types";
import { againstMarket, foundOf, freeKg, listOf, needsByPlace, shelves, together } from "../src/state/produce";
import { entriesOf, formOf } from "../src/state/produce-account";
import { byDay, byVehicle, changesOf, clockOf, readDelivery, readLoad, stepOf, totalsOf, wayOf, weightOf, withinDays, type Delivery, type DeliveryPlan } from "../src/state/produce-plan";
import { priceLine, quantiles, triedOf } from "../src/state/produce-prices";
import { newestByLot, secondsBetween } from "../src/state/produce-proof";
import { provenIn, wholeSecond } from "../src/state/produce-run";
import { bend, gathered, joined } from "../src/state/produce-ways";

const lot = (id: string, more: Partial<Lot> = {}): Lot =>
  ({ id, producer: "farm-1", product: "rice", state: "offered", quantity_kg: 100, error_kg: 30, promised_kg: 0, price_krw_kg: 2500, from: "2027-09-10", until: "2027-09-30", substitute: false, ...more }) as Lot;
const need = (id: string, more: Partial<Need> = {}): Need =>
  ({ id, place: "stand-1", place_kind: "stand", name_ko: "판매대", name_en: "Stand", product: "rice", quantity_kg: 50, date: "2027-09-18", ...more }) as Need;
const finding = (code: string, row: string, level: Finding["level"]): Finding => ({ code, row, level, text: { ko: code, en: code } });

describe("what is offered", () => {
  it("counts no kilograms of what failed or was recalled, and shows such lots last", () => {
    const [rice] = shelves([lot("a", { state: "failed" }), lot("b", { quantity_kg: 400, error_kg: 40 }), lot("c", { state: "recalled" }), lot("d")]);
    expect(rice).toMatchObject({ product: "rice", kg: 500, error: 50 });
    expect(rice!.lots.map((l) => l.id)).toEqual(["b", "d", "a", "c"]);
  });
  it("stands in the order of the products, unknown ones after them", () => {
    expect(shelves([lot("a", { product: "x" }), lot("b", { product: "peach" }), lot("c")], ["rice", "peach"]).map((s) => s.product)).toEqual(["rice", "peach", "x"]);
  });
  it("is free as far as it is not promised, and never less than nothing", () => {
    expect(freeKg(lot("a", { promised_kg: 30 }))).toBe(70);
    expect(freeKg(lot("a", { promised_kg: 130 }))).toBe(0);
    expect(freeKg(lot("a", { state: "failed" }))).toBe(0);
  });
  it("is compared with the market only where the market has a price", () => {
    const products = [{ code: "rice", price: { krw_kg: 2000 } }, { code: "peach", price: null }] as Product[];
    expect(againstMarket(lot("a"), products)).toBeCloseTo(0.25);
    expect(againstMarket(lot("a", { product: "peach" }), products)).toBeNull();
  });
  it("is found wrong once, the worst first", () => {
    const all = together([finding("odd", "a", "warn"), finding("negative", "a", "bad"), finding("odd", "a", "warn"), finding("other", "b", "bad")]);
    expect(all).toHaveLength(3);
    expect(foundOf(all, "a").map((f) => f.code)).toEqual(["negative", "odd"]);
  });
  it("names its allergens one by one", () => expect(listOf("5, 6;13,")).toEqual(["5", "6", "13"]));
});

describe("what is needed", () => {
  it("stands by place and day, stands before kitchens, the largest first", () => {
    const places = needsByPlace([need("1", { place: "kitchen-1", place_kind: "kitchen" }), need("2", { date: "2027-09-19" }), need("3"), need("4", { quantity_kg: 80, product: "peach" })]);
    expect(places.map((p) => [p.place, p.kg])).toEqual([["stand-1", 180], ["kitchen-1", 50]]);
    expect(places[0]!.days.map((d) => [d.day, d.rows.map((r) => r.id)])).toEqual([["2027-09-18", ["4", "3"]], ["2027-09-19", ["2"]]]);
  });
});

const delivery = (more: Partial<Delivery>): Delivery => ({
  id: "d", lot: "a", producer: "f", origin: "Daewol", product: "rice", need: "n1", place: "stand-1", instead: "", kg: 100, day: "2027-09-18", leaves: 6, arrives: 8, vehicle: "truck-1", priceKg: 2000, cost: 0, km: 50, co2: 1,
  change: "", way: [[127.5, 37.2], [127.1, 37.5]], ...more,
}); // prettier-ignore
const feature = (properties: Record<string, unknown>, coordinates: unknown = [[127.5, 37.2], [127.1, 37.5]]): Feature => ({ type: "Feature", id: "d1", geometry: { type: "LineString", coordinates }, properties });

describe("a delivery plan", () => {
  it("is read from its layers as they are", () => {
    const one = readDelivery(feature({ lot: "a", product: "rice", quantity_kg: 240, date: "2027-09-18", leaves_h: 5.894, arrives_h: "8.136", changed: "more", substitute_for: null }));
    expect(one).toMatchObject({ lot: "a", kg: 240, arrives: 8.136, change: "more", instead: "", way: [[127.5, 37.2], [127.1, 37.5]] });
    expect(readDelivery(feature({ changed: "strange" })).change).toBe("");
    expect(wayOf(null)).toEqual([]);
  });
  const plan: DeliveryPlan = {
    deliveries: [delivery({}), delivery({ id: "e", lot: "b", kg: 50, place: "stand-2", need: "n2", arrives: 7.5 }), delivery({ id: "f", lot: "b", kg: 20, product: "potato", instead: "sweet-potato", day: "2027-09-17", vehicle: "truck-2" })],
    loads: [readLoad(feature({ vehicle: "truck-1", date: "2027-09-18", kg: 150, km: 100, cost_krw: 50_000, kg_co2: 24 })), readLoad(feature({ vehicle: "truck-2", date: "2027-09-17", kg: 20, km: 90, cost_krw: 40_000, kg_co2: 20 }))],
    unmet: [{ need: "n3", place: "stand-3", product: "peach", day: "2027-09-19", kg: 30, code: "short", why: { ko: "", en: "" }, remedy: { ko: "", en: "" } }],
    balance: [{ day: "2027-09-18", product: "rice", needed: 200, delivered: 170, substituted: 0, unmet: 30, wasted: 7 }], proven: null, elsewhere: 0,
  }; // prettier-ignore
  it("comes to what goods and vehicles cost together", () => {
    expect(totalsOf(plan)).toMatchObject({ kg: 170, goods: 340_000, transport: 90_000, cost: 430_000, co2: 44, km: 190, unmet: 30, wasted: 7, substituted: 20, places: 2, vehicles: 2 });
  });
  it("is told day by day, days with nothing but a shortage too, and by the clock within a day", () => {
    expect(byDay(plan).map((d) => [d.day, d.kg, d.unmet, d.rows.map((r) => r.id)])).toEqual([["2027-09-17", 20, 0, ["f"]], ["2027-09-18", 150, 0, ["e", "d"]], ["2027-09-19", 0, 30, []]]);
  });
  it("says nothing of needs on days that were not planned", () => {
    const one = plan.unmet[0]!;
    expect(withinDays([one, { ...one, code: "outside-days" }, { ...one, code: "outside-days" }])).toEqual({ unmet: [one], elsewhere: 2 });
  });
  it("has stops in the order of the clock: what is taken together is one stop", () => {
    const tour = byVehicle(plan).find((v) => v.vehicle === "truck-1")!;
    expect(tour.stops.map((s) => [s.kind, s.place, s.kg])).toEqual([["take", "Daewol", 150], ["bring", "stand-2", 50], ["bring", "stand-1", 100]]);
  });
  it("says what another changed of it: gone, less, more, new, and nothing of crumbs", () => {
    const now = [delivery({ kg: 100.02 }), delivery({ lot: "c", kg: 30, place: "stand-2", need: "n2" }), delivery({ lot: "b", kg: 45, product: "potato", need: "n1", day: "2027-09-17" })];
    expect(changesOf(plan.deliveries, now).map((c) => [c.change, c.row.lot, c.before, c.now])).toEqual([["gone", "b", 50, 0], ["new", "c", 0, 30], ["more", "b", 20, 45]]);
    expect(changesOf(plan.deliveries, plan.deliveries)).toEqual([]);
  });
  it("takes what was planned in two parts as one", () => {
    expect(changesOf([delivery({ kg: 60 }), delivery({ id: "x", kg: 40, vehicle: "truck-2" })], [delivery({ kg: 100 })])).toEqual([]);
  });
  it("is asked for by steps of weights around what is usual", () => {
    expect([0, 1, 2, 3, 4].map((s) => stepOf(weightOf(s, 3), 3))).toEqual([0, 1, 2, 3, 4]);
    expect(stepOf(1.3, 1)).toBe(2);
  });
  it("writes hours as a clock does", () => expect([clockOf(5.894), clockOf(6.5), clockOf(8.999), clockOf(null)]).toEqual(["05:54", "06:30", "09:00", ""]));
  it("says what was proved of it, wherever that stands, and when to the second", () => {
    expect(provenIn([{ steps: [{ what: "read" }, { what: "plan", parameters: { proven_gap: 0.0125, bound_krw: 10, objective_krw: 11, status: "optimal" } }] }])).toMatchObject({ gap: 0.0125, bound: 10, objective: 11, status: "optimal" });
    expect(provenIn({ parameters: { gap: 0.02 } })).toBeNull();
    expect(wholeSecond("2027-09-18T02:00:00.123456Z")).toBe("2027-09-18T02:00:00+00:00");
  });
});

describe("lines on the map", () => {
  it("are bent to their left and keep their ends", () => {
    const way = bend([0, 0], [0, 1000], 0.1, 2);
    expect(way[0]).toEqual([0, 0]);
    expect(way[2]).toEqual([0, 1000]);
    expect(way[1]).toEqual([-50, 500]);
  });
  it("are one where they run from one farm to stands beside each other; what is new stays apart", () => {
    const groups = gathered([{ at: [0, 0] as [number, number] }, { at: [100, 0] as [number, number] }, { at: [9000, 0] as [number, number] }], 1500);
    expect(groups.map((g) => [g.at, g.members.length])).toEqual([[[50, 0], 2], [[9000, 0], 1]]);
    const line = (to: [number, number], kg: number, look: "kept" | "new") => ({ from: [0, 50_000] as [number, number], to, kg, look, strong: kg === 7 });
    expect(joined([line([0, 0], 5, "kept"), line([100, 0], 7, "kept"), line([100, 0], 3, "new")], groups.map((g) => g.at))).toEqual([
      { from: [0, 50_000], to: [50, 0], kg: 12, look: "kept", strong: true }, { from: [0, 50_000], to: [50, 0], kg: 3, look: "new", strong: false },
    ]); // prettier-ignore
  });
});

describe("prices", () => {
  it("know their quantiles by name, and nothing where the middle is missing", () => {
    expect(quantiles(["rice_20kg_p90", "rice_20kg_p10", "rice_20kg_p50", "new_rice_20kg_p50"], "rice_20kg")).toEqual(["rice_20kg_p10", "rice_20kg_p50", "rice_20kg_p90"]);
    expect(quantiles(["rice_p10", "rice_p90"], "rice")).toBeNull();
  });
  it("are told for a kilogram, on one axis, and the forecast begins at the last price", () => {
    const past = { time: ["2023-04-05T00:00:00Z", "2023-04-06T00:00:00Z", "2023-04-07T00:00:00Z"], columns: { r_20kg: { unit: "", values: [40_000, 44_000, null] } } };
    const ahead = { time: ["2023-04-08T00:00:00Z", "2023-04-09T00:00:00Z"], columns: { r_20kg_p10: { unit: "", values: [40_000, 38_000] }, r_20kg_p50: { unit: "", values: [44_000, 46_000] }, r_20kg_p90: { unit: "", values: [50_000, 60_000] } } };
    const line = priceLine(past as never, ahead as never, "r_20kg", 20);
    expect(line.past).toEqual([2000, 2200, null, null, null]);
    expect(line.middle).toEqual([null, 2200, 2200, 2200, 2300]);
    expect(line.high).toEqual([null, 2200, 2350, 2500, 3000]);
  });
  it("are tried by product, without an error where nothing could be compared", () => {
    const rows = [feature({ product: "r_20kg", days_ahead: "all", mae: 940, naive_mae: 8480, persistence_mae: 900, mape: 2, coverage: 87, n: 50, better: true }), feature({ product: "x_10kg", days_ahead: "all", mae: null, n: 0, missed: 4, better: false })];
    const [rice, none] = triedOf(rows, (c) => (c === "r_20kg" ? 20 : 10));
    expect(rice).toMatchObject({ ours: 47, naive: 424, better: true });
    expect(none).toMatchObject({ ours: null, n: 0, missed: 4, better: false });
  });
});

describe("certificates and recalls", () => {
  it("of a lot that which holds counts, else the newest", () => {
    const one = (id: string, state: Certificate["state"], issued: string) => ({ id, lot: "a", state, issued }) as Certificate;
    expect(newestByLot([one("1", "valid", "2027-01"), one("2", "revoked", "2027-02")]).get("a")!.id).toBe("1");
    expect(newestByLot([one("1", "revoked", "2027-01"), one("2", "revoked", "2027-02")]).get("a")!.id).toBe("2");
  });
  it("say how long they took only where both moments are known", () => {
    expect(secondsBetween("2027-09-18T02:00:00Z", "2027-09-18T02:00:01.500Z")).toBe(1.5);
    expect(secondsBetween("2027-09-18T02:00:00Z", null)).toBeNull();
  });
});

describe("an account", () => {
  const figure = (value: number | null, source: Figure["source"] = "stated"): Figure => ({ value, unit: "kg", error: 0, source, origin: { ko: "", en: "" } });
  const account = {
    products: [{ product: "rice", promised: figure(840, "computed"), delivered: figure(null), sold: figure(300), wasted: figure(null), income: figure(null) }],
    came: figure(null), spent: { guest: figure(12_000_000), host: figure(null) }, note: { ko: "", en: "" },
  } as unknown as Account; // prettier-ignore
  it("sends only what was written, so that the rest keeps its source", () => {
    const form = formOf(account);
    expect(form.rows["rice"]).toEqual({ delivered: "", sold: 300, wasted: "", income: "" });
    expect(entriesOf(form, account).sales).toEqual([]);
    form.rows["rice"]!.delivered = 840;
    form.came = 5400;
    expect(entriesOf(form, account)).toMatchObject({ sales: [{ product: "rice", delivered_kg: 840, sold_kg: null, wasted_kg: null, income: null }], came: 5400, spent: { guest: null, host: null } });
  });
});
