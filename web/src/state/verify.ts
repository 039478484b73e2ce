// What came of repeating a result: the server's verdict, read without making more of it than it says.
import type { Json } from "../api/result";

export type Sameness = "same" | "within-error" | "different" | "cannot";
/**
 * good: signed by whom it names, by keys that this server looked up; enclosed: by keys that only the package brings;
 * unknown: nobody knows the keys; none: not signed; bad: it does not hold.
 */
export type SignatureState = "good" | "enclosed" | "unknown" | "none" | "bad";
/** same: green; near: green outline; doubt: amber; different: red; cannot: grey. */
export type Seal = "same" | "near" | "doubt" | "different" | "cannot";
export type Words = string | { ko: string; en: string };

export interface Spot { lon: number; lat: number }
export interface Finding { code: string; text: Words }
export interface OutputVerdict {
  layer: string;
  verdict: Sameness;
  difference: number | null;
  unit: string;
  count: number | null;
  of: number | null;
  /** How many differ by more than the error. */
  beyond: number | null;
  where: Spot | null;
  /** The object or the column of the largest difference, and the values sent and found there. */
  at: string;
  sent: string;
  found: string;
  title: Words;
  what: Words;
}
export interface Verdict {
  verdict: Sameness;
  signature: SignatureState;
  findings: Finding[];
  did: string;
  outputs: OutputVerdict[];
  what: Words;
  /** Why it could not be repeated. */
  reasons: Finding[];
  /** The server itself grants the seal. */
  sealed: boolean;
  process: string;
  question: string;
  /** The sender's code beside this server's, where they are told. */
  code: { name: string; there: string; here: string }[];
  notes: Words[];
  raw: Bag;
}

export type Bag = Record<string, Json>;
export const bag = (value: Json | undefined): Bag => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
export const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
export const text = (value: Json | undefined): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
export const number = (value: Json | undefined): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
export function words(value: Json | undefined): Words {
  const { ko, en } = bag(value);
  if (typeof ko === "string" || typeof en === "string") return { ko: text(ko) || text(en), en: text(en) || text(ko) };
  return text(value);
}
export const inLang = (value: Words | undefined | null, lang: "ko" | "en"): string => (typeof value === "string" ? value : (value?.[lang] ?? ""));

function sameness(value: Json | undefined): Sameness {
  const told = text(value).toLowerCase().replace(/[_ ]/g, "-");
  if (told === "same" || told === "different") return told;
  if (told === "within-error" || told === "same-within-error") return "within-error";
  return "cannot";
}

function spot(value: Json | undefined): Spot | null {
  const at = bag(value);
  const pair = list(value);
  const lon = number(at["lon"]) ?? number(pair[0]);
  const lat = number(at["lat"]) ?? number(pair[1]);
  return lon === null || lat === null ? null : { lon, lat };
}

const finding = (value: Json): Finding => {
  const one = bag(value);
  return { code: text(one["code"]), text: words(one["what"]) };
};

function signatureOf(told: Json | undefined): { state: SignatureState; findings: Finding[]; did: string } {
  const one = bag(told);
  const findings = list(one["findings"] ?? null).map(finding);
  const did = text(one["did"]);
  const has = (code: string) => findings.some((f) => f.code === code);
  if (!told || has("no-proof")) return { state: "none", findings, did };
  if (has("no-keys")) return { state: "unknown", findings, did };
  if (one["good"] !== true) return { state: "bad", findings, did };
  const known = (text(one["by"]) === "here" || text(one["by"]) === "peer") && one["resolved"] !== false;
  return { state: known ? "good" : "enclosed", findings, did };
}

/** Reads the result of a verification; what is not there is not invented: a verdict that is not understood is "cannot". */
export function readVerdict(raw: Bag): Verdict {
  const body = "verdict" in raw && typeof raw["verdict"] === "object" ? bag(raw["verdict"]) : raw;
  const { state, findings, did } = signatureOf(body["signature"]);
  const outputs = list(body["outputs"]).map((value): OutputVerdict => {
    const one = bag(value);
    return {
      layer: text(one["layer"] ?? one["output"]),
      verdict: sameness(one["verdict"]),
      difference: number(one["max_difference"]),
      unit: text(one["unit"]),
      count: number(one["count"]),
      of: number(one["of"]),
      beyond: number(one["beyond_error"]),
      where: spot(one["where"]),
      at: [text(bag(one["where"])["id"]), text(bag(one["where"])["column"])].filter(Boolean).join(" · "),
      sent: text(bag(one["where"])["expected"]),
      found: text(bag(one["where"])["found"]),
      title: words(one["title"]),
      what: words(one["what"]),
    };
  });
  const code = bag(body["code"]);
  return {
    verdict: sameness(body["verdict"]),
    signature: state,
    findings,
    did,
    outputs,
    what: words(body["what"]),
    reasons: list(body["reasons"] ?? null).map(finding),
    sealed: body["sealed"] === true,
    process: text(body["process"]),
    question: text(body["question"]),
    code: Object.entries(code).flatMap(([name, value]) => {
      const pair = bag(value);
      const there = text(pair["there"]);
      const here = text(pair["here"]);
      return there || here ? [{ name, there, here }] : [];
    }),
    notes: list(body["notes"] ?? null).map((one) => words(one)),
    raw: body,
  };
}

/** The seal that a verdict earns: green only for the same result under a good signature, as the server itself grants it. */
export function sealOf(verdict: Pick<Verdict, "verdict" | "signature" | "sealed">): Seal {
  if (verdict.verdict === "different") return "different";
  if (verdict.verdict === "cannot") return "cannot";
  if (verdict.signature !== "good") return "doubt";
  if (verdict.verdict === "within-error") return "near";
  return verdict.sealed ? "same" : "doubt";
}
