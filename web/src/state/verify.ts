// What came of repeating a result: the server's verdict, read without making more of it than it says.
import type { Json } from "../api/result";

export type Sameness = "same" | "within-error" | "different" | "cannot";
/** good: signed by whom it names, by keys that this server looked up; enclosed: by keys that only the package brings. */
export type SignatureState = "good" | "enclosed" | "none" | "bad";
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
  where: Spot | null;
  what: Words;
}
export interface Verdict {
  verdict: Sameness;
  signature: SignatureState;
  findings: Finding[];
  did: string;
  outputs: OutputVerdict[];
  what: Words;
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
  return { code: text(one["code"]), text: words(one["what"] ?? one["text"] ?? (typeof value === "string" ? value : "")) };
};

/** What a finding about a signature says of it; all others say that it does not hold. */
const ENCLOSED = new Set(["enclosed", "enclosed-did", "unresolved", "unknown-issuer", "not-resolved"]);

function signatureOf(told: Json | undefined): { state: SignatureState; findings: Finding[]; did: string } {
  const one = bag(told);
  const findings = list(Array.isArray(told) ? told : (one["findings"] ?? null)).map(finding);
  const did = text(one["did"] ?? one["issuer"]);
  if (told === undefined || told === null) return { state: "none", findings, did };
  if (findings.some((f) => f.code === "no-proof")) return { state: "none", findings, did };
  const wrong = findings.filter((f) => !ENCLOSED.has(f.code));
  const good = one["good"] ?? one["ok"] ?? one["valid"];
  if (wrong.length || good === false) return { state: "bad", findings, did };
  const enclosed = findings.length > 0 || one["enclosed"] === true || one["resolved"] === false || text(one["by"]) === "enclosed";
  return { state: enclosed ? "enclosed" : "good", findings, did };
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
      difference: number(one["difference"] ?? one["max_difference"] ?? one["most"]),
      unit: text(one["unit"]),
      count: number(one["count"] ?? one["differs"]),
      of: number(one["of"] ?? one["total"]),
      where: spot(one["where"]) ?? spot(one),
      what: words(one["what"] ?? one["why"] ?? one["note"]),
    };
  });
  const code = bag(body["code"]);
  return {
    verdict: sameness(body["verdict"]),
    signature: state,
    findings,
    did,
    outputs,
    what: words(body["what"] ?? body["why"] ?? body["detail"] ?? body["message"]),
    process: text(body["process"]),
    question: text(body["question"]),
    code: Object.entries(code).flatMap(([name, value]) => {
      const pair = bag(value);
      const there = text(pair["there"] ?? pair["theirs"] ?? pair["then"]);
      const here = text(pair["here"] ?? pair["ours"] ?? pair["now"]);
      return there || here ? [{ name, there, here }] : [];
    }),
    notes: list(body["notes"] ?? null).map((one) => words(one)),
    raw: body,
  };
}

/** The seal that a verdict earns: green only for the same result under a good signature. */
export function sealOf(verdict: Pick<Verdict, "verdict" | "signature">): Seal {
  if (verdict.verdict === "different") return "different";
  if (verdict.verdict === "cannot") return "cannot";
  if (verdict.signature !== "good") return "doubt";
  return verdict.verdict === "same" ? "same" : "near";
}
