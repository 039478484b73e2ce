// Numbers and units as people write them; the units come as UCUM.

const UNITS: Record<string, [ko: string, en: string]> = {
  "1": ["", ""],
  "%": ["%", "%"],
  h: ["시간", "h"],
  min: ["분", "min"],
  s: ["초", "s"],
  d: ["일", "d"],
  a: ["년", "a"],
  "h/d": ["시간/일", "h/day"],
  "h/a": ["시간/년", "h/year"],
  "{step}": ["단계", "steps"],
  deg: ["°", "°"],
  m: ["m", "m"],
  m2: ["m²", "m²"],
  m3: ["m³", "m³"],
  km2: ["km²", "km²"],
  sr: ["sr", "sr"],
  "kW.h": ["kWh", "kWh"],
  "kW.h/a": ["kWh/년", "kWh/year"],
  "MW.h/a": ["MWh/년", "MWh/year"],
  "kW.h/m2": ["kWh/m²", "kWh/m²"],
  "kW.h/m2/a": ["kWh/m²·년", "kWh/m²·year"],
  "kW.h/(m2.a)": ["kWh/m²·년", "kWh/m²·year"],
  "kW.h.m-2.a-1": ["kWh/m²·년", "kWh/m²·year"],
  "W/m2": ["W/m²", "W/m²"],
  "{building}": ["채", "buildings"],
  "{point}": ["점", "points"],
  "{cell}": ["칸", "cells"],
  "{observer}": ["곳", "observers"],
  steps: ["단계", "steps"],
  cells: ["칸", "cells"],
  har: ["ha", "ha"],
};

/** A UCUM unit in the words of a language; annotations lose their braces, what is not known stays as it is written. */
export function unitText(unit: string | null | undefined, lang: "ko" | "en"): string {
  if (!unit) return "";
  const known = UNITS[unit];
  if (known) return known[lang === "ko" ? 0 : 1];
  return unit.replace(/\{([^}]*)\}/g, "$1").replace(/\.(?=\w)/g, "·").replace(/m2\b/g, "m²").replace(/m3\b/g, "m³");
}

/** Degrees and per cent stand at their number; every other unit stands apart. */
export const withUnit = (number: string, unit: string): string => (unit ? (unit === "°" ? `${number}${unit}` : `${number} ${unit}`) : number);

/** As many digits as say something: four of them for small numbers, whole above a thousand. */
export function numberText(value: number | null | undefined, lang: "ko" | "en", digits?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const places = digits ?? (size >= 1000 || Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : size === 0 ? 0 : 3);
  return value.toLocaleString(lang === "ko" ? "ko-KR" : "en-GB", { maximumFractionDigits: places, minimumFractionDigits: digits ?? 0 }).replace("-", "−");
}

/** A difference always says its direction. */
export function changeText(value: number | null | undefined, lang: "ko" | "en", digits?: number): string {
  const text = numberText(value, lang, digits);
  return value && value > 0 && text !== "0" ? `+${text}` : text;
}

/** "3 min 20 s": of minutes only the whole, of hours no seconds. */
export function durationText(seconds: number | null | undefined, lang: "ko" | "en"): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  const s = Math.max(0, Math.round(seconds));
  const [h, min, rest] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60), s % 60];
  const word = lang === "ko" ? { h: "시간", m: "분", s: "초" } : { h: " h", m: " min", s: " s" };
  if (h) return `${h}${word.h}${min ? ` ${min}${word.m}` : ""}`;
  if (min) return `${min}${word.m}${rest && min < 5 ? ` ${rest}${word.s}` : ""}`;
  return `${rest}${word.s}`;
}

/** A digest in short groups that an eye can compare: the algorithm, then groups of four. */
export function digestGroups(digest: string): { method: string; groups: string[] } {
  const [method, hex] = digest.includes(":") ? [digest.slice(0, digest.indexOf(":")), digest.slice(digest.indexOf(":") + 1)] : ["", digest];
  return { method, groups: hex.match(/.{1,4}/g) ?? [] };
}

/** Bytes for people. */
export function bytesText(bytes: number, lang: "ko" | "en"): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${numberText(value, lang, at && value < 10 ? 1 : 0)} ${units[at]}`;
}
