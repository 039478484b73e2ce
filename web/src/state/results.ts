// Results that are grids: their values in the page, so that two variants lie on the ground on one scale and are counted cell by cell.
import { ask, part, root } from "../api/client";
import type { Json } from "../api/result";
import { planeFrame } from "./frame";
import { changeColour, sunColour, type Rgb } from "./ramp";

/** A grid in the page: rows from the north, NaN where nothing is known. */
export interface Cells {
  rows: number;
  cols: number;
  /** Metres of the frame: the western and the northern edge, and the side of a cell. */
  west: number;
  north: number;
  cell: number;
  crs: string;
  unit: string;
  /** What one of the process's own units is in `unit` (steps of sun are told in hours). */
  step: number;
  values: Float32Array;
}

/** A grid of more cells stays on the server: its pictures are drawn there. */
export const MOST_CELLS = 30_000_000;

interface ZarrArray {
  shape: number[];
  data_type: string;
  chunk_grid: { configuration: { chunk_shape: number[] } };
  fill_value: number | string | boolean;
  attributes: Record<string, Json>;
  dimension_names?: string[];
}

async function inflate(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function typed(kind: string, buffer: ArrayBuffer): ArrayLike<number> {
  switch (kind) {
    case "bool":
    case "uint8": return new Uint8Array(buffer);
    case "int8": return new Int8Array(buffer);
    case "uint16": return new Uint16Array(buffer);
    case "int16": return new Int16Array(buffer);
    case "uint32": return new Uint32Array(buffer);
    case "int32": return new Int32Array(buffer);
    case "float32": return new Float32Array(buffer);
    case "float64": return new Float64Array(buffer);
    default: throw new RangeError(`a grid of ${kind} cannot be read here`);
  }
}

/** What the store says about itself, without its values. */
export async function describeGrid(twin: string, layer: string): Promise<{ name: string; array: ZarrArray; transform: number[]; unit: string }> {
  const base = `${root(twin)}/collections/${part(layer)}/coverage.zarr`;
  const group = (await (await ask(`${base}/zarr.json`)).json()) as { consolidated_metadata: { metadata: Record<string, ZarrArray> } };
  const arrays = group.consolidated_metadata.metadata;
  const found = Object.entries(arrays).find(([, a]) => a.shape.length === 2);
  if (!found) throw new RangeError(`${layer}: no grid`);
  const transform = String(arrays["spatial_ref"]?.attributes["GeoTransform"] ?? "").split(/\s+/).map(Number);
  return { name: found[0], array: found[1], transform, unit: String(found[1].attributes["ucum"] ?? "") };
}

/**
 * Reads a grid whole, chunk by chunk, in the numbers that the server keeps.
 * Throws `RangeError` where it has more than `MOST_CELLS`.
 */
export async function readCells(twin: string, layer: string, crs: string): Promise<Cells> {
  const base = `${root(twin)}/collections/${part(layer)}/coverage.zarr`;
  const { name, array, transform, unit } = await describeGrid(twin, layer);
  const [rows, cols] = array.shape as [number, number];
  if (rows * cols > MOST_CELLS) throw new RangeError(`${layer}: ${rows * cols} cells`);
  const [high, wide] = array.chunk_grid.configuration.chunk_shape as [number, number];
  const fill = typeof array.fill_value === "number" ? array.fill_value : Number.NaN;
  // A fill of an integer type means "unknown" only where the store says so.
  const hole = "_FillValue" in array.attributes ? fill : Number.NaN;
  const values = new Float32Array(rows * cols).fill(Number.NaN);
  const jobs: [number, number][] = [];
  for (let r = 0; r * high < rows; r++) for (let c = 0; c * wide < cols; c++) jobs.push([r, c]);
  const work = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const [r, c] = job;
      const from = typed(array.data_type, await inflate(await (await ask(`${base}/${name}/c/${r}/${c}`)).arrayBuffer()));
      const h = Math.min(high, rows - r * high);
      const w = Math.min(wide, cols - c * wide);
      for (let i = 0; i < h; i++) {
        const to = (r * high + i) * cols + c * wide;
        for (let j = 0; j < w; j++) {
          const v = from[i * wide + j]!;
          values[to + j] = v === hole ? Number.NaN : v;
        }
      }
    }
  };
  await Promise.all([work(), work(), work()]);
  return { rows, cols, west: transform[0]!, north: transform[3]!, cell: transform[1]!, crs, unit, step: 1, values };
}

export interface Statistics { known: number; area_m2: number; least: number; most: number; mean: number; low: number; high: number }

/** Least, most, mean, and the 2nd and 98th hundredth (from a histogram of 2,048 classes, as exact as one of them) of what is known. */
export function statistics(cells: Cells): Statistics {
  const { values, cell } = cells;
  let [known, sum, least, most] = [0, 0, Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v !== v) continue;
    known += 1;
    sum += v;
    if (v < least) least = v;
    if (v > most) most = v;
  }
  if (!known) return { known: 0, area_m2: 0, least: NaN, most: NaN, mean: NaN, low: NaN, high: NaN };
  const bins = new Uint32Array(2048);
  const scale = most > least ? 2047 / (most - least) : 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v === v) bins[((v - least) * scale) | 0]! += 1;
  }
  const at = (share: number) => {
    let seen = 0;
    for (let k = 0; k < bins.length; k++) {
      seen += bins[k]!;
      if (seen >= share * known) return scale ? least + k / scale : least;
    }
    return most;
  };
  return { known, area_m2: known * cell * cell, least, most, mean: sum / known, low: at(0.02), high: at(0.98) };
}

export interface Difference {
  cells: Cells;
  /** Cells known in both. */
  both: number;
  /** Cells that differ by more than the error, down and up, and their area. */
  less: number;
  more: number;
  less_m2: number;
  more_m2: number;
  mean: number;
  /** What 98 of 100 of these differ by at most, either way. */
  usual: number;
  /** The greatest difference either way, and where (metres of the frame). */
  most: number;
  at: [number, number] | null;
}

/** B less A, cell by cell; throws `RangeError` where the two do not lie on the same cells. */
export function difference(a: Cells, b: Cells, error = 0): Difference {
  if (a.rows !== b.rows || a.cols !== b.cols || a.cell !== b.cell || a.west !== b.west || a.north !== b.north)
    throw new RangeError("the grids lie on different cells");
  const values = new Float32Array(a.values.length);
  // Values are 32 bits wide: a difference of just the error must not be one for their rounding.
  error *= 1 + 1e-4;
  let [both, less, more, sum, most, where] = [0, 0, 0, 0, 0, -1];
  for (let i = 0; i < values.length; i++) {
    const d = b.values[i]! - a.values[i]!;
    values[i] = d;
    if (d !== d) continue;
    both += 1;
    sum += d;
    if (d < -error) less += 1;
    else if (d > error) more += 1;
    if (Math.abs(d) > Math.abs(most)) {
      most = d;
      where = i;
    }
  }
  const bins = new Uint32Array(1024);
  const scale = 1023 / (Math.abs(most) || 1);
  for (let i = 0; i < values.length; i++) {
    const d = Math.abs(values[i]!);
    if (d > error) bins[(d * scale) | 0]! += 1;
  }
  let [seen, k] = [0, 0];
  for (; k < bins.length && seen < 0.98 * (less + more); k++) seen += bins[k]!;
  const usual = k / scale;
  const area = a.cell * a.cell;
  const at: [number, number] | null = where < 0 ? null : [a.west + ((where % a.cols) + 0.5) * a.cell, a.north - (Math.floor(where / a.cols) + 0.5) * a.cell];
  return { cells: { ...a, values }, both, less, more, less_m2: less * area, more_m2: more * area, mean: both ? sum / both : NaN, usual, most, at };
}

/** The value of the cell under a place, or `null`. */
export function valueAt(cells: Cells, lon: number, lat: number): number | null {
  const [x, y] = planeFrame(cells.crs).fromLonLat(lon, lat);
  const col = Math.floor((x - cells.west) / cells.cell);
  const row = Math.floor((cells.north - y) / cells.cell);
  if (col < 0 || row < 0 || col >= cells.cols || row >= cells.rows) return null;
  const v = cells.values[row * cells.cols + col]!;
  return v === v ? v : null;
}

/** A scale of colours: what of the values is the first and the last colour. */
export interface Scale { kind: "amount" | "change"; low: number; high: number }

export const colourOf = (scale: Scale, value: number): Rgb =>
  scale.kind === "change"
    ? changeColour(scale.high > 0 ? Math.max(-1, Math.min(1, value / scale.high)) : 0)
    : sunColour(scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 0.5);

/** A number that people count in quarters of, at or above `value` (less a hundredth): 1, 2, 4, 5 or 8 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const found = [1, 2, 4, 5, 8, 10].find((m) => m * power >= value * 0.99) ?? 10;
  return found * power;
}

/** The one scale of several grids: from nought (or the least, below) to a round number above the most. */
export function scaleOf(all: Statistics[]): Scale {
  const known = all.filter((s) => s.known);
  const most = Math.max(0, ...known.map((s) => s.most));
  const least = Math.min(0, ...known.map((s) => s.least));
  const high = most <= 1 && least >= 0 && most > 0.05 ? 1 : roundUp(most);
  return { kind: "amount", low: least < 0 ? -roundUp(-least) : 0, high };
}

/** The scale of a difference: the same either way, wide enough for all but the last hundredths of what changes. */
export function scaleOfChange(of: Pick<Difference, "usual" | "most">): Scale {
  const high = roundUp(of.usual || Math.abs(of.most));
  return { kind: "change", low: -high, high };
}

const SIDE = 256;
const NODES = 16;
/** sRGB and opacity of 256 steps of a scale. */
function table(scale: Scale): Uint32Array {
  const out = new Uint32Array(256);
  const bytes = new Uint8ClampedArray(out.buffer);
  for (let i = 0; i < 256; i++) {
    const c = scale.kind === "change" ? changeColour((i / 255) * 2 - 1) : sunColour(i / 255);
    bytes.set([...c, 255], i * 4);
  }
  return out;
}

/**
 * Draws tiles (web mercator, 256 pixels) of a grid: each pixel shows the cell that its centre lies in; where a pixel is larger than a cell,
 * the mean of up to 16 cells below it. `quiet`: a change no greater than this is left clear.
 */
export function painter(cells: Cells, scale: Scale, quiet = 0): (z: number, x: number, y: number) => HTMLCanvasElement | null {
  const frame = planeFrame(cells.crs);
  const colours = table(scale);
  const span = scale.high - scale.low || 1;
  return (z, x, y) => {
    const n = 2 ** z;
    // Nodes along both sides, projected; between them the way is straight to far below a cell.
    const gx = new Float64Array((NODES + 1) ** 2);
    const gy = new Float64Array((NODES + 1) ** 2);
    for (let j = 0; j <= NODES; j++) {
      const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y + j / NODES)) / n))) * 180) / Math.PI;
      for (let i = 0; i <= NODES; i++) {
        const lon = ((x + i / NODES) / n) * 360 - 180;
        const [px, py] = frame.fromLonLat(lon, lat);
        gx[j * (NODES + 1) + i] = (px - cells.west) / cells.cell;
        gy[j * (NODES + 1) + i] = (cells.north - py) / cells.cell;
      }
    }
    const [left, right] = [Math.min(...gx), Math.max(...gx)];
    const [top, bottom] = [Math.min(...gy), Math.max(...gy)];
    if (right < 0 || bottom < 0 || left > cells.cols || top > cells.rows) return null;
    const step = (right - left) / SIDE;
    const spread = step > 1.5 ? Math.min(4, Math.ceil(step)) : 1;
    const picture = new ImageData(SIDE, SIDE);
    const out = new Uint32Array(picture.data.buffer);
    const patch = SIDE / NODES;
    for (let row = 0; row < SIDE; row++) {
      const j = Math.floor(row / patch);
      const v = (row + 0.5) / patch - j;
      for (let col = 0; col < SIDE; col++) {
        const i = Math.floor(col / patch);
        const u = (col + 0.5) / patch - i;
        const k = j * (NODES + 1) + i;
        const cx = (gx[k]! * (1 - u) + gx[k + 1]! * u) * (1 - v) + (gx[k + NODES + 1]! * (1 - u) + gx[k + NODES + 2]! * u) * v;
        const cy = (gy[k]! * (1 - u) + gy[k + 1]! * u) * (1 - v) + (gy[k + NODES + 1]! * (1 - u) + gy[k + NODES + 2]! * u) * v;
        let value = NaN;
        if (spread === 1) {
          if (cx >= 0 && cy >= 0 && cx < cells.cols && cy < cells.rows) value = cells.values[(cy | 0) * cells.cols + (cx | 0)]!;
        } else {
          let sum = 0;
          let count = 0;
          for (let b = 0; b < spread; b++)
            for (let a = 0; a < spread; a++) {
              const sx = cx + ((a + 0.5) / spread - 0.5) * step;
              const sy = cy + ((b + 0.5) / spread - 0.5) * step;
              if (sx < 0 || sy < 0 || sx >= cells.cols || sy >= cells.rows) continue;
              const one = cells.values[(sy | 0) * cells.cols + (sx | 0)]!;
              if (one === one) {
                sum += one;
                count += 1;
              }
            }
          if (count) value = sum / count;
        }
        if (value !== value || (quiet > 0 && Math.abs(value) <= quiet)) {
          // Nearly clear and light: clear black would darken what lies beside it, where the engine smooths.
          out[row * SIDE + col] = 0x04ffffff;
          continue;
        }
        const share = (value - scale.low) / span;
        out[row * SIDE + col] = colours[share <= 0 ? 0 : share >= 1 ? 255 : (share * 255) | 0]!;
      }
    }
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    canvas.getContext("2d")!.putImageData(picture, 0, 0);
    return canvas;
  };
}

/** West, south, east and north of a grid, degrees. */
export function rectangleOf(cells: Pick<Cells, "rows" | "cols" | "west" | "north" | "cell" | "crs">): [number, number, number, number] {
  const frame = planeFrame(cells.crs);
  const [east, south] = [cells.west + cells.cols * cells.cell, cells.north - cells.rows * cells.cell];
  const corners = [[cells.west, cells.north], [east, cells.north], [cells.west, south], [east, south]].map(([x, y]) => frame.toLonLat(x!, y!));
  const lons = corners.map((c) => c[0]);
  const lats = corners.map((c) => c[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}
