import { useI18n } from "vue-i18n";
import { usePage } from "./page";

/** How moments, counts and licences are written in the page's language, and times in the city's zone. */
export function useTold() {
  const { state } = usePage();
  const { t, te } = useI18n();
  const tongue = () => (state.looks.lang === "ko" ? "ko-KR" : "en-GB");
  const zone = () => state.twins.current?.time_zone ?? "UTC";
  /** A time of day, with the day where it is not today's; `exact` with seconds. */
  const moment = (text: string | null | undefined, exact = false): string => {
    const at = Date.parse(text ?? "");
    if (Number.isNaN(at)) return "";
    const day = (one: number) => new Intl.DateTimeFormat("en-CA", { timeZone: zone() }).format(one);
    return new Intl.DateTimeFormat(tongue(), {
      ...(day(at) === day(Date.now()) ? {} : { month: "short", day: "numeric" }),
      hour: state.looks.lang === "ko" ? "numeric" : "2-digit", minute: "2-digit", ...(exact ? { second: "2-digit" } : {}), timeZone: zone(),
    }).format(at);
  };
  /** Day and time of day, written out. */
  const dated = (text: string): string => {
    const at = Date.parse(text);
    return Number.isNaN(at) ? text : new Intl.DateTimeFormat(tongue(), { dateStyle: "long", timeStyle: "short", timeZone: zone() }).format(at);
  };
  const items = (n: number): string => t("layers.count", { n: n.toLocaleString(tongue()) }, n);
  /** What a licence is called: in the page's words where it is the city's own. */
  const licenceTitle = (one: { id?: string | null | undefined; title?: string | null | undefined }): string => {
    const key = `licences.${one.id ?? ""}`;
    return one.id && te(key) ? t(key) : one.title || one.id || "";
  };
  return { tongue, moment, dated, items, licenceTitle };
}
