// Results that are features: their columns as numbers, so that two variants are set side by side, as a whole and building by building.

export interface Table {
  rows: number;
  names: string[];
  columns: Map<string, string[]>;
}

/** Reads CSV (RFC 4180): quoted fields may hold commas, quotes twice, and line ends. */
export function readCsv(source: string): Table {
  const lines: string[][] = [];
  let line: string[] = [];
  let field = "";
  let quoted = false;
  const start = source.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let i = start; i < source.length; i++) {
    const c = source[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (source[i + 1] === '"') {
        field += '"';
        i += 1;
      } else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ",") {
      line.push(field);
      field = "";
    } else if (c === "\n" || c === "\r") {
      if (c === "\r" && source[i + 1] === "\n") i += 1;
      line.push(field);
      field = "";
      lines.push(line);
      line = [];
    } else field += c;
  }
  if (field || line.length) lines.push([...line, field]);
  const names = lines.shift() ?? [];
  const columns = new Map(names.map((name, k) => [name, lines.map((one) => one[k] ?? "")]));
  return { rows: lines.length, names, columns };
}

/** A column as numbers; what is empty or none is NaN. */
export function numbers(table: Table, name: string): Float64Array {
  return Float64Array.from(table.columns.get(name) ?? [], (one) => (one === "" ? NaN : Number(one)));
}

export interface Sums { known: number; sum: number; mean: number }
export function sums(values: Float64Array): Sums {
  let [known, sum] = [0, 0];
  for (const v of values)
    if (v === v) {
      known += 1;
      sum += v;
    }
  return { known, sum, mean: known ? sum / known : NaN };
}

/** The mean of a column by what another says ("building"), and of how many. */
export function meansBy(table: Table, by: string, column: string): Map<string, { n: number; mean: number }> {
  const keys = table.columns.get(by) ?? [];
  const values = numbers(table, column);
  const found = new Map<string, { n: number; mean: number }>();
  keys.forEach((key, i) => {
    const v = values[i]!;
    if (!key || v !== v) return;
    const one = found.get(key);
    if (!one) found.set(key, { n: 1, mean: v });
    else {
      one.n += 1;
      one.mean += (v - one.mean) / one.n;
    }
  });
  return found;
}

/** Rows whose number has a bit set. */
export const withBit = (values: Float64Array, bit: number): number => values.reduce((n, v) => n + (v === v && (v & bit) !== 0 ? 1 : 0), 0);
