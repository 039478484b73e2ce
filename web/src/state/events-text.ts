// An event as it is written: a new one, what it lacks, its day and hours. Pure.
import type { DayType, EventText, EventWhole, Kind, StageOf, Stand, Venue, When } from "../api/events";
import { degrees, fine, stepped } from "./events-shape";

const none = () => ({ ko: "", en: "" });

/** The wall clock of a moment as it is written: its day, and hours with their parts. */
export function wall(text: string): { day: string; hour: number } {
  const found = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}):(\d{2}))?/.exec(text);
  return found ? { day: found[1]!, hour: Number(found[2] ?? 0) + Number(found[3] ?? 0) / 60 } : { day: "", hour: 0 };
}

/** Saturdays and holidays walk otherwise than weekdays; of holidays the page knows Sundays. */
export function dayType(day: string): DayType {
  const at = Date.parse(`${day}T00:00:00Z`);
  const n = Number.isNaN(at) ? 1 : new Date(at).getUTCDay();
  return n === 6 ? "saturday" : n === 0 ? "holiday" : "weekday";
}

/** When a place is looked at: the event's first day, in whole hours. */
export function whenOf(event: Pick<EventText, "start" | "end">): When {
  const [a, b] = [wall(event.start), wall(event.end)];
  const from = Math.max(0, Math.min(23, Math.floor(a.hour)));
  const until = a.day === b.day ? Math.ceil(b.hour) : 24;
  return { day: a.day, from_h: from, to_h: Math.max(from + 1, Math.min(24, until)), day_type: dayType(a.day) };
}

/** A moment of a city's clock with its offset: "2027-09-18", "11:00" → "2027-09-18T11:00:00+09:00". */
export function momentIn(day: string, time: string, zone: string): string {
  const plain = Date.parse(`${day}T${time}:00Z`);
  if (Number.isNaN(plain)) return "";
  const name = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(plain).find((p) => p.type === "timeZoneName")?.value ?? "GMT";
  const found = /GMT([+-]\d{2}):?(\d{2})?/.exec(name);
  return `${day}T${time}:00${found ? `${found[1]}:${found[2] ?? "00"}` : "+00:00"}`;
}

export function blankEvent(kind: Kind, place: Venue, zone: string, today: string): EventText {
  const day = new Date(Date.parse(`${today}T00:00:00Z`) + 60 * 86_400_000).toISOString().slice(0, 10);
  return {
    kind, title: none(), about: none(), host: "", agreement: "", place: { ...place, name: { ...place.name } }, start: momentIn(day, "11:00", zone), end: momentIn(day, "19:00", zone),
    organiser: { name: "", department: "" }, programme: [], sections: [], delegations: [], meetings: [], visitors: { expected: 1000, error: 400, source: "assumed", note: "" },
    stage: null, stands: [], works: { temporary_m2: 0, fire: false, gas: false, on_water: false, food: true, fireworks: false, road_closed: false }, plan: null,
  };
}

const FIELDS = [
  "kind", "title", "about", "host", "agreement", "place", "start", "end", "organiser", "programme", "sections", "delegations", "meetings", "visitors", "stage", "stands", "works", "plan",
] as const satisfies readonly (keyof EventText)[];
/** What an officer writes, out of what was read; nothing of it is shared with what was read. */
export const textOf = (event: EventText | EventWhole): EventText => JSON.parse(JSON.stringify(Object.fromEntries(FIELDS.map((f) => [f, event[f]])))) as EventText;
export const sameText = (a: EventText, b: EventText): boolean => JSON.stringify(textOf(a)) === JSON.stringify(textOf(b));

/** What is still missing before an event can be kept, by the names of its fields. */
export function lacks(event: EventText): ("title" | "place" | "times" | "organiser" | "visitors" | "programme")[] {
  const found: ReturnType<typeof lacks> = [];
  if (!event.title.ko.trim() && !event.title.en.trim()) found.push("title");
  if (!event.place.name.ko.trim() && !event.place.name.en.trim()) found.push("place");
  if (!(Date.parse(event.start) < Date.parse(event.end))) found.push("times");
  if (!event.organiser.name.trim()) found.push("organiser");
  const { expected, error } = event.visitors;
  if (!(Number.isFinite(expected) && expected >= 0 && Number.isFinite(error) && error >= 0)) found.push("visitors");
  if (event.programme.some((p) => (!p.title.ko.trim() && !p.title.en.trim()) || !(Date.parse(p.start) < Date.parse(p.end)) || Date.parse(p.start) < Date.parse(event.start) || Date.parse(p.end) > Date.parse(event.end))) found.push("programme");
  return found;
}

/** A text that was written in one language stands in both, so that nobody reads an empty line. */
export function bothWays(event: EventText): EventText {
  const out = textOf(event);
  const fill = (one: { ko: string; en: string }) => {
    [one.ko, one.en] = [one.ko.trim() || one.en.trim(), one.en.trim() || one.ko.trim()];
  };
  for (const one of [out.title, out.about, out.place.name, ...out.programme.flatMap((p) => [p.title, p.about]), ...out.sections.map((s) => s.title), ...out.stands.map((s) => s.name)]) fill(one);
  return out;
}

/** The next free id of a kind: "s1", "s2", … */
export function nextId(letter: string, had: readonly { id: string }[]): string {
  const ids = new Set(had.map((one) => one.id));
  let n = 1;
  while (ids.has(`${letter}${n}`)) n++;
  return `${letter}${n}`;
}

/** A common folding tent of 3 m by 3 m. */
export function newStand(event: EventText, lon: number, lat: number, heading_deg = 0): Stand {
  const id = nextId("s", event.stands);
  const n = id.slice(1);
  return { id, name: { ko: `부스 ${n}`, en: `Stand ${n}` }, lon: fine(lon), lat: fine(lat), heading_deg: degrees(heading_deg), width_m: 3, depth_m: 3, products: [], power: null, water: null };
}

/** An open-air stage of a size that is rented everywhere: an assumption until somebody says otherwise. */
export const newStage = (lon: number, lat: number, heading_deg = 0): StageOf => ({
  lon: fine(lon), lat: fine(lat), heading_deg: degrees(heading_deg), width_m: 10, depth_m: 6, height_m: 1, level_db: 90, audience_m: 25, source: "assumed",
});

/** Where the next stand goes where nobody points: beside the last one, or a little off the middle of the place. */
export function besideOf(event: EventText): { lon: number; lat: number; heading_deg: number } {
  const last = event.stands[event.stands.length - 1];
  if (!last) {
    const [lon, lat] = stepped(event.place.lon, event.place.lat, 14, 0);
    return { lon, lat, heading_deg: 270 };
  }
  const r = ((last.heading_deg + 90) * Math.PI) / 180;
  const step = last.width_m + 2;
  const [lon, lat] = stepped(last.lon, last.lat, Math.sin(r) * step, Math.cos(r) * step);
  return { lon, lat, heading_deg: last.heading_deg };
}
