import type { Basis, Camera, Lang, Mode } from "./store";

/** All that a link restores. */
export interface Link {
  twin: string | null;
  lang: Lang;
  date: string | null;
  /** Minute of the day on the clock, or null: let the day play. */
  minute: number | null;
  basis: Basis;
  mode: Mode;
  camera: Camera | null;
  layers: string[];
  selected: string | null;
  edit: { object: string; height_m: number } | null;
  lite: boolean | null;
  /** Of an atlas: the quantity on the map, and `flat` where it is not raised ("density,flat"). */
  atlas?: string | null;
  /** The plan that is open: its id, empty for the column alone. */
  plan?: string | null;
  /** The place in the column of what is shared ("agreement/ID"), empty for its first page. */
  partners?: string | null;
  /** The place in the column of events ("event/ID", "produce"), empty for its first page. */
  events?: string | null;
}

const oneOf = <T extends string>(text: string | null, all: readonly T[], otherwise: T): T =>
  all.includes(text as T) ? (text as T) : otherwise;

/** Reads a query string; whatever is not understood is left at its default, never an error. */
export function readLink(query: string, browserLang = "ko"): Link {
  const q = new URLSearchParams(query);
  const cam = (q.get("cam") ?? "").split(",").map(Number);
  const [lon, lat, height, heading, pitch] = cam;
  const clock = /^(\d{1,2}):(\d{2})$/.exec(q.get("t") ?? "");
  const edit = /^(.+):(\d+(?:\.\d+)?)$/.exec(q.get("edit") ?? "");
  const date = q.get("date");
  return {
    twin: q.get("twin"),
    lang: oneOf(q.get("lang"), ["ko", "en"] as const, browserLang.startsWith("ko") ? "ko" : "en"),
    date: date && /^\d{4}-\d{2}-\d{2}$/.test(date) && !Number.isNaN(Date.parse(date)) ? date : null,
    minute: clock ? Math.min(1439, Number(clock[1]) * 60 + Number(clock[2])) : null,
    basis: oneOf(q.get("basis"), ["solar", "civil"] as const, "solar"),
    mode: oneOf(q.get("mode"), ["shadow", "hours", "lost"] as const, "shadow"),
    camera:
      cam.length === 5 && cam.every(Number.isFinite)
        ? { lon: lon!, lat: lat!, height: height!, heading: heading!, pitch: pitch! }
        : null,
    layers: (q.get("on") ?? "").split(",").filter(Boolean),
    selected: q.get("sel"),
    edit: edit ? { object: edit[1]!, height_m: Number(edit[2]) } : null,
    lite: q.has("lite") ? q.get("lite") !== "0" : null,
    atlas: q.get("map"),
    plan: q.get("plan"),
    partners: q.get("partners"),
    events: q.get("events"),
  };
}

/** The clock's minute as hh:mm. */
export function hhmm(minute: number): string {
  const m = Math.round(minute);
  return `${String(Math.floor(m / 60)).padStart(2, "0")}:${String(m % 60).padStart(2, "0")}`;
}

/** Writes a link; defaults are left out, so that a plain view has a plain address. */
export function writeLink(link: Link): string {
  const q: string[] = [];
  const put = (key: string, value: string) => q.push(`${key}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":")}`);
  if (link.twin) put("twin", link.twin);
  put("lang", link.lang);
  if (link.date) put("date", link.date);
  if (link.minute !== null) put("t", hhmm(link.minute));
  if (link.basis !== "solar") put("basis", link.basis);
  if (link.mode !== "shadow") put("mode", link.mode);
  if (link.camera) {
    const c = link.camera;
    put("cam", [c.lon.toFixed(6), c.lat.toFixed(6), c.height.toFixed(1), c.heading.toFixed(1), c.pitch.toFixed(1)].join(","));
  }
  if (link.layers.length) put("on", link.layers.join(","));
  if (link.selected) put("sel", link.selected);
  if (link.edit) put("edit", `${link.edit.object}:${Number(link.edit.height_m.toFixed(1))}`);
  if (link.atlas) put("map", link.atlas);
  if (link.plan != null) put("plan", link.plan);
  if (link.partners != null) put("partners", link.partners);
  if (link.events != null) put("events", link.events);
  if (link.lite !== null) put("lite", link.lite ? "1" : "0");
  return `?${q.join("&")}`;
}

/** The page of a twin's data: what is here and how to take it. */
export const twinPage = (twin: string, lang: Lang): string => `/twins/${encodeURIComponent(twin)}?f=html&lang=${lang}`;

/** The page of one layer's data. */
export const collectionPage = (twin: string, layer: string, lang: Lang): string =>
  `/twins/${encodeURIComponent(twin)}/collections/${encodeURIComponent(layer)}?f=html&lang=${lang}`;
