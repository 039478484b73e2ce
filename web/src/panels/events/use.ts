import { deskOf } from "../../state/events-desk";
import { useMoney } from "../exchange/money";
import { useRoom } from "../exchange/use";

/** What every room of the column works with: the twin, the words, the ways about, how names, sums and moments are written. */
export function useEvents() {
  const kit = useRoom();
  const { state, lang } = kit;
  const desk = deskOf(state);
  /** To a room of this column ("home", "produce"), or to one thing on a page of its own ("event", id). */
  function go(page: string, id = ""): void {
    state.events.at = { page, id };
    desk.now.trouble = "";
  }
  /** To a page of the column of partners. */
  function goPartners(page: string, id = ""): void {
    state.exchange.at = { page, id };
    state.exchange.open = true;
  }
  const zone = () => state.twins.current!.time_zone;
  const said = (text: string, options: Intl.DateTimeFormatOptions): string => {
    const at = Date.parse(text);
    return Number.isNaN(at) ? text : new Intl.DateTimeFormat(kit.tongue(), { timeZone: zone(), ...options }).format(at);
  };
  /** A day with its weekday, in the city's zone. */
  const dayLong = (text: string): string => said(text, { year: "numeric", month: "long", day: "numeric", weekday: "short" });
  /** A time of day on the clock of 24 hours. */
  const clock = (text: string): string => said(text, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const dayKey = (text: string): string => { const at = Date.parse(text); return Number.isNaN(at) ? text.slice(0, 10) : new Intl.DateTimeFormat("en-CA", { timeZone: zone() }).format(at); };
  /** From when to when: a day with its hours, or days. */
  const span = (start: string, end: string): string => {
    if (start.length <= 10) return start === end || !end ? kit.day(`${start}T00:00:00Z`) : `${kit.day(`${start}T00:00:00Z`)} – ${kit.day(`${end}T00:00:00Z`)}`;
    return dayKey(start) === dayKey(end) ? `${dayLong(start)} ${clock(start)}–${clock(end)}` : `${kit.day(start)} – ${kit.day(end)}`;
  };
  /** Where a number comes from, in a word. */
  const from = (source: string): string => (kit.te(`events.from.${source}`) ? kit.t(`events.from.${source}`) : source);
  /** A unit as people read it. */
  const unit = (code: string): string => {
    const named = ({ "{person}/h": "people-h", "{person}": "people", person: "people", people: "people", h: "hours" } as Record<string, string>)[code];
    return named ? kit.t(`events.unit.${named}`) : code === "1" ? "" : code.replace("m2", "m²").replace("min/h", lang.value === "ko" ? "분/시" : "min/h").replace(/[{}]/g, "");
  };
  return { ...kit, unit, ...useMoney(), desk, go, goPartners, zone, dayLong, clock, dayKey, span, from, lang };
}
