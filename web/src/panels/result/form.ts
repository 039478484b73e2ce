// A form made from what a process says of its inputs (JSON Schema with `x-ogc-unit`).
import type { InputAbout, InputSchema, ProcessAbout } from "../../api/result";

export type FieldKind = "day" | "number" | "switch" | "choice" | "text" | "places" | "place" | "names" | "json";
export interface Field {
  name: string;
  kind: FieldKind;
  unit: string;
  schema: InputSchema;
  /** Choices of a `choice`. */
  choices: (string | number)[];
  minimum: number | null;
  maximum: number | null;
  initial: unknown;
  /** How many places at least and at most. */
  least: number;
  most: number;
  required: boolean;
}

const typesOf = (schema: InputSchema): string[] => (Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []);

/** The schema that says most, where several are offered. */
function plain(schema: InputSchema): InputSchema {
  const offered = schema.oneOf ?? schema.anyOf;
  if (!offered?.length) return schema;
  const best = offered.find((one) => !typesOf(one).includes("null")) ?? offered[0]!;
  return { ...schema, ...best, default: schema.default };
}

const asPlace = (schema: InputSchema | undefined): boolean => !!schema?.properties && "lon" in schema.properties && "lat" in schema.properties;

function kindOf(name: string, schema: InputSchema): FieldKind {
  const types = typesOf(schema).filter((t) => t !== "null");
  if (schema.enum?.every((one) => typeof one === "string" || typeof one === "number")) return "choice";
  if (types.includes("boolean")) return "switch";
  if (types.includes("array") && schema.items) {
    const items = plain(schema.items);
    if (asPlace(items)) return "places";
    const inner = typesOf(items);
    const pair = inner.includes("array") || schema["x-places"] === true;
    if (pair && /point|observer|place|from|view/i.test(name)) return "places";
    if (inner.includes("string")) return "names";
    return "json";
  }
  if (asPlace(schema)) return "place";
  if (types.includes("array") || types.includes("object")) return "json";
  if (types.includes("number") || types.includes("integer")) return "number";
  if (schema.format === "date" || /^(date|day)$/.test(name)) return "day";
  return "text";
}

/** The scenario is not a field: it is what the whole panel is about. */
const APART = new Set(["scenario", "edits"]);

/** The fields of a process, in the order in which it names them. */
export function fieldsOf(process: ProcessAbout): Field[] {
  return Object.entries(process.inputs ?? {})
    .filter(([name]) => !APART.has(name))
    .map(([name, input]) => fieldOf(name, input));
}

export function fieldOf(name: string, input: InputAbout): Field {
  const schema = plain(input.schema ?? {});
  const kind = kindOf(name, schema);
  return {
    name,
    kind,
    unit: String(schema["x-ogc-unit"] ?? input.schema?.["x-ogc-unit"] ?? ""),
    schema,
    choices: kind === "choice" ? (schema.enum as (string | number)[]) : [],
    minimum: typeof schema.minimum === "number" ? schema.minimum : null,
    maximum: typeof schema.maximum === "number" ? schema.maximum : null,
    initial: input.schema?.default ?? schema.default ?? null,
    least: schema.minItems ?? (kind === "place" ? 1 : 0),
    most: schema.maxItems ?? 64,
    required: input.minOccurs === undefined ? false : input.minOccurs > 0 && (input.schema?.default ?? schema.default) === undefined,
  };
}

export interface Place { lon: number; lat: number; height_m?: number; [other: string]: unknown }

/** A place as the process wants it: an object of what its schema has, or [lon, lat]. */
function placeFor(schema: InputSchema | undefined, place: Place): unknown {
  const of = schema ? plain(schema) : {};
  if (!of.properties) return [place.lon, place.lat];
  const known = Object.fromEntries(Object.entries(place).filter(([key, value]) => key in of.properties! && value !== undefined && value !== null && value !== ""));
  return { ...known, lon: place.lon, lat: place.lat };
}

export interface Filled { inputs: Record<string, unknown>; wrong: Record<string, "number" | "low" | "high" | "missing" | "json"> }

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** What is sent: only what differs from the default, and what is wrong, by name. The server checks all of it again. */
export function fill(fields: Field[], values: Record<string, unknown>): Filled {
  const filled: Filled = { inputs: {}, wrong: {} };
  for (const field of fields) {
    let value = values[field.name];
    if (field.kind === "number" && value !== null && value !== undefined && value !== "") {
      const n = Number(value);
      if (!Number.isFinite(n)) filled.wrong[field.name] = "number";
      else if (field.minimum !== null && n < field.minimum) filled.wrong[field.name] = "low";
      else if (field.maximum !== null && n > field.maximum) filled.wrong[field.name] = "high";
      value = n;
    } else if (field.kind === "places") {
      const places = (value as Place[] | undefined) ?? [];
      if (places.length < field.least) filled.wrong[field.name] = "missing";
      value = places.map((place) => placeFor(field.schema.items, place));
      if (!places.length) continue;
    } else if (field.kind === "place") {
      const place = value as Place | null | undefined;
      if (!place) {
        if (field.required) filled.wrong[field.name] = "missing";
        continue;
      }
      value = placeFor(field.schema, place);
    } else if (field.kind === "names" && typeof value === "string") {
      value = value.split(",").map((one) => one.trim()).filter(Boolean);
    } else if (field.kind === "json" && typeof value === "string") {
      if (!value.trim()) value = null;
      else
        try {
          value = JSON.parse(value);
        } catch {
          filled.wrong[field.name] = "json";
        }
    }
    if (value === null || value === undefined || value === "") {
      if (field.required && !(field.name in filled.wrong)) filled.wrong[field.name] = "missing";
      continue;
    }
    if (!same(value, field.initial)) filled.inputs[field.name] = value;
  }
  return filled;
}
