import { computed } from "vue";
import type { Both } from "../../api/exchange";
import type { Lot, Product } from "../../api/produce";
import type { Followed } from "../../state/jobs";
import { produceOf } from "../../state/produce";
import { useRoom } from "../exchange/use";

/** The room of produce, the way about in the column of events, and how it writes sums, kilograms, days and hours. */
export function useProduce() {
  const base = useRoom();
  const { state, lang, tongue, t, te } = base;
  const produce = produceOf(state.twins.current!.id);
  function go(page: string, id = ""): void {
    state.events.at = { page, id };
  }
  const number = (n: number | null | undefined, digits = 0): string =>
    n === null || n === undefined || !Number.isFinite(n) ? "–" : n.toLocaleString(tongue(), { maximumFractionDigits: digits, minimumFractionDigits: digits }).replace("-", "−");
  /** Kilograms as a scale shows them: of small weights a tenth. */
  const kg = (n: number | null | undefined): string => `${number(n, n !== null && n !== undefined && Math.abs(n) < 10 && n % 1 ? 1 : 0)} kg`;
  const won = (n: number | null | undefined): string => (n === null || n === undefined ? "–" : `₩${number(n)}`);
  const km = (n: number | null | undefined): string => `${number(n, n !== null && n !== undefined && Math.abs(n) < 100 ? 1 : 0)} km`;
  const co2 = (n: number | null | undefined): string => `${number(n, n !== null && n !== undefined && Math.abs(n) < 100 ? 1 : 0)} kg CO₂`;
  const percent = (share: number | null | undefined, digits = 0): string => (share === null || share === undefined ? "–" : `${number(share * 100, digits)}${lang.value === "ko" ? "%" : " %"}`);
  const signed = (share: number, digits = 0): string => `${share > 0 && number(share * 100, digits) !== "0" ? "+" : ""}${percent(share, digits)}`;
  /** A day of the calendar is the same day wherever it is read. */
  const date = (day: string | null | undefined, style: "medium" | "short" = "medium"): string => {
    const at = Date.parse(`${(day ?? "").slice(0, 10)}T00:00:00Z`);
    if (Number.isNaN(at)) return day ?? "";
    return new Intl.DateTimeFormat(tongue(), style === "medium" ? { dateStyle: "medium", timeZone: "UTC" } : { month: "short", day: "numeric", weekday: "short", timeZone: "UTC" }).format(at);
  };
  const productOf = (code: string): Product | null => produce.products.find((p) => p.code === code) ?? null;
  const product = (code: string): string => {
    const names = productOf(code)?.names;
    return names ? names[lang.value] : te(`produce.product.${code}`) ? t(`produce.product.${code}`) : code;
  };
  const lotOf = (id: string): Lot | null => produce.lots.find((l) => l.id === id) ?? null;
  const inTongue = (ko: string | null | undefined, en: string | null | undefined): string => (lang.value === "ko" ? ko || en : en || ko) || "";
  const grade = (code: string): string => produce.grades[code]?.[lang.value] ?? code;
  const allergen = (code: string): string => produce.allergens[code]?.[lang.value] ?? code;
  /** A lot in one line: what it is and whose. */
  const lotName = (id: string): string => {
    const lot = lotOf(id);
    return lot ? `${product(lot.product)} · ${inTongue(lot.origin_ko, lot.origin_en)}` : id;
  };
  /** A job's stage in the words of the page; the server's own where the page has none. */
  const stageOf = (job: Followed): { stage?: string } => {
    const key = `produce.stage.${(job.status.stage ?? "").replaceAll(/\W+/g, "-")}`;
    return te(key) ? { stage: t(key) } : {};
  };
  const said = (one: Both | string | null | undefined): string => base.both(one);
  const twin = computed(() => state.twins.current!.id);
  return { ...base, go, produce, number, kg, won, km, co2, percent, signed, date, product, productOf, lotOf, grade, allergen, lotName, inTongue, stageOf, said, twin };
}
