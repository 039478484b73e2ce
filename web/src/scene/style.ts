// The subset of MapLibre's style JSON that this map draws: background, fill, line, circle; filters; the expressions get, has, zoom,
// literal, coalesce, match, case, step, interpolate (linear, exponential), comparisons, all, any, !, in, arithmetic; and `stops`.
// What is not understood is left out of the map, never guessed.

export type Properties = Record<string, unknown>;
export interface StyleLayer {
  id: string;
  type: string;
  source?: string;
  "source-layer"?: string;
  minzoom?: number;
  maxzoom?: number;
  filter?: unknown;
  paint?: Record<string, unknown>;
  layout?: Record<string, unknown>;
}
export interface Style { layers: StyleLayer[] }

type Rgba = [number, number, number, number];

/** Reads #rgb, #rrggbb, #rrggbbaa, rgb() and rgba(). */
export function readColour(text: string): Rgba | null {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(text)?.[1];
  if (hex) {
    const full = hex.length <= 4 ? [...hex].map((c) => c + c).join("") : hex;
    const at = (i: number) => parseInt(full.slice(i, i + 2), 16);
    return [at(0), at(2), at(4), full.length >= 8 ? at(6) / 255 : 1];
  }
  const list = /^rgba?\(([^)]+)\)$/.exec(text)?.[1]?.split(/[\s,/]+/).map(Number);
  if (list && list.length >= 3 && list.every(Number.isFinite)) return [list[0]!, list[1]!, list[2]!, list[3] ?? 1];
  return null;
}

function mix(a: unknown, b: unknown, t: number): unknown {
  if (typeof a === "number" && typeof b === "number") return a + (b - a) * t;
  if (typeof a === "string" && typeof b === "string") {
    const p = readColour(a);
    const q = readColour(b);
    if (p && q) {
      const [r, g, bl, al] = p.map((v, i) => v + (q[i]! - v) * t) as Rgba;
      return `rgba(${Math.round(r)},${Math.round(g)},${Math.round(bl)},${al})`;
    }
  }
  return a;
}

/** The value of a style value for one feature at one zoom; plain values come back as they are. */
export function evaluate(e: unknown, zoom: number, p: Properties): unknown {
  if (e !== null && typeof e === "object" && !Array.isArray(e)) {
    const { stops, base } = e as { stops?: [number, unknown][]; base?: number };
    if (!stops) return undefined;
    return evaluate(["interpolate", ["exponential", base ?? 1], ["zoom"], ...stops.flat(1)], zoom, p);
  }
  if (!Array.isArray(e) || typeof e[0] !== "string") return e;
  const [op, ...a] = e as [string, ...unknown[]];
  const v = (x: unknown) => evaluate(x, zoom, p);
  const n = (x: unknown) => Number(v(x));
  switch (op) {
    case "literal": return a[0];
    case "get": return p[a[0] as string];
    case "has": return p[a[0] as string] !== undefined && p[a[0] as string] !== null;
    case "zoom": return zoom;
    case "coalesce": return a.map(v).find((x) => x !== undefined && x !== null);
    case "to-number": case "number": return Number(v(a[0]));
    case "to-string": case "string": return String(v(a[0]) ?? "");
    case "==": return v(a[0]) === v(a[1]);
    case "!=": return v(a[0]) !== v(a[1]);
    case "<": return n(a[0]) < n(a[1]);
    case "<=": return n(a[0]) <= n(a[1]);
    case ">": return n(a[0]) > n(a[1]);
    case ">=": return n(a[0]) >= n(a[1]);
    case "!": return !v(a[0]);
    case "all": return a.every((x) => v(x));
    case "any": return a.some((x) => v(x));
    case "in": {
      const set = v(a[1]);
      return Array.isArray(set) ? set.includes(v(a[0])) : String(set ?? "").includes(String(v(a[0])));
    }
    case "+": return a.reduce<number>((s, x) => s + n(x), 0);
    case "*": return a.reduce<number>((s, x) => s * n(x), 1);
    case "-": return a.length === 1 ? -n(a[0]) : n(a[0]) - n(a[1]);
    case "/": return n(a[0]) / n(a[1]);
    case "^": return n(a[0]) ** n(a[1]);
    case "max": return Math.max(...a.map(n));
    case "min": return Math.min(...a.map(n));
    case "case": {
      for (let i = 0; i + 1 < a.length; i += 2) if (v(a[i])) return v(a[i + 1]);
      return v(a[a.length - 1]);
    }
    case "match": {
      const input = v(a[0]);
      for (let i = 1; i + 1 < a.length; i += 2) {
        const labels = a[i];
        if (Array.isArray(labels) ? labels.includes(input) : labels === input) return v(a[i + 1]);
      }
      return v(a[a.length - 1]);
    }
    case "step": {
      const x = n(a[0]);
      let out = v(a[1]);
      for (let i = 2; i + 1 < a.length; i += 2) if (x >= Number(a[i])) out = v(a[i + 1]);
      return out;
    }
    case "interpolate": {
      const way = a[0] as unknown[];
      const base = way[0] === "exponential" ? Number(way[1]) : 1;
      const x = n(a[1]);
      const stops = a.slice(2);
      const last = stops.length - 2;
      if (x <= Number(stops[0])) return v(stops[1]);
      if (x >= Number(stops[last])) return v(stops[last + 1]);
      let i = 0;
      while (x >= Number(stops[i + 2])) i += 2;
      const lo = Number(stops[i]);
      const hi = Number(stops[i + 2]);
      const t = base === 1 ? (x - lo) / (hi - lo) : (base ** (x - lo) - 1) / (base ** (hi - lo) - 1);
      return mix(v(stops[i + 1]), v(stops[i + 3]), t);
    }
    default: return undefined;
  }
}

/** Whether a feature passes a filter, written as an expression or in the older form (["==", "kind", "park"]). */
export function passes(filter: unknown, zoom: number, p: Properties, geometry: string): boolean {
  if (!Array.isArray(filter)) return true;
  const [op, key, ...rest] = filter as [string, unknown, ...unknown[]];
  const own = (k: string) => (k === "$type" ? geometry : p[k]);
  if (op === "all" || op === "any" || op === "none") {
    const each = [key, ...rest].filter((f) => f !== undefined).map((f) => passes(f, zoom, p, geometry));
    return op === "all" ? each.every(Boolean) : op === "any" ? each.some(Boolean) : !each.some(Boolean);
  }
  if (typeof key === "string" && op !== "has" && op !== "!") {
    const value = own(key);
    switch (op) {
      case "==": return value === rest[0];
      case "!=": return value !== rest[0];
      case "<": return Number(value) < Number(rest[0]);
      case "<=": return Number(value) <= Number(rest[0]);
      case ">": return Number(value) > Number(rest[0]);
      case ">=": return Number(value) >= Number(rest[0]);
      case "in": return rest.includes(value);
      case "!in": return !rest.includes(value);
      case "!has": return value === undefined;
    }
  }
  return Boolean(evaluate(filter, zoom, { ...p, $type: geometry }));
}
