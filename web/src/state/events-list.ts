// Events as a calendar shows them. Pure.
import type { EventBrief } from "../api/events";

/** The day of a city's calendar on which an event begins. */
export function dayOfBrief(event: Pick<EventBrief, "start">, zone: string): string {
  const at = Date.parse(event.start);
  return Number.isNaN(at) ? event.start.slice(0, 10) : new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(at);
}

const OVER: ReadonlySet<string> = new Set(["cancelled", "ended", "settled"]);

/** What comes (soonest first), what has been or was called off (newest first), and what open data lists (newest first). */
export function splitOf(all: readonly EventBrief[], now: string): { coming: EventBrief[]; past: EventBrief[]; listed: EventBrief[] } {
  const at = Date.parse(now);
  const by = (a: EventBrief, b: EventBrief) => Date.parse(a.start) - Date.parse(b.start);
  const ours = all.filter((e) => e.origin !== "listing");
  const comes = (e: EventBrief) => !OVER.has(e.state) && Date.parse(e.end) >= at;
  return { coming: ours.filter(comes).sort(by), past: ours.filter((e) => !comes(e)).sort((a, b) => by(b, a)), listed: all.filter((e) => e.origin === "listing").sort((a, b) => by(b, a)) };
}

/** Listings month by month, newest first; only those whose name, place or kind holds the words. */
export function monthsOf(listed: readonly EventBrief[], words: string, zone: string): { month: string; all: EventBrief[] }[] {
  const asked = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const months = new Map<string, EventBrief[]>();
  for (const e of listed) {
    const text = `${e.title.ko} ${e.title.en} ${e.place.name.ko} ${e.place.name.en} ${e.kind} ${e.start.slice(0, 10)}`.toLowerCase();
    if (!asked.every((w) => text.includes(w))) continue;
    const month = dayOfBrief(e, zone).slice(0, 7);
    const had = months.get(month);
    if (had) had.push(e);
    else months.set(month, [e]);
  }
  return [...months].sort(([a], [b]) => b.localeCompare(a)).map(([month, all]) => ({ month, all }));
}
