import { useI18n } from "vue-i18n";
import type { Author, PlanOp } from "../../api/plan";
import { isNew } from "../../state/scenario-journal";
import { planningOf, type Line, type Planning } from "../../state/scenario";
import { usePage, type Page } from "../page";
import { useTold } from "../told";

/** The page's planning, and the words in which its numbers are told. */
export function usePlanning(): Planning & { page: Page } {
  const page = usePage();
  const planning = planningOf(page.state, page.clock, page.sunlight, page.held);
  return Object.assign(Object.create(planning) as Planning, { page });
}

export function useTelling() {
  const { t } = useI18n();
  const { tongue: locale, moment } = useTold();
  const number = (n: number, digits = 0) => n.toLocaleString(locale(), { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const when = (text: string) => moment(text);
  const who = (author: Author | { name: string }) => ("kind" in author && author.kind === "owner" ? t("plan.who.role.owner") : author.name || t("plan.edits.someone"));
  const short = (id: string) => (isNew(id) ? id.slice(4) : id.replace(/^(way|node|relation)\//, ""));
  /** What an edit did, in a few words with their number. */
  const did = (line: Line): string => {
    const { op, before } = line;
    if (!op) return "";
    const metres = (one: PlanOp | undefined) => {
      if (typeof one?.["height_m"] === "number") return one["height_m"] as number;
      const parts = one?.["parts"] as { top_m: number }[] | undefined;
      return parts ? Math.max(...parts.map((p) => p.top_m)) : null;
    };
    const [to, from] = [metres(op), metres(before)];
    switch (line.deed[0]) {
      case "add": case "copy": case "replace":
        return to === null ? "" : t("plan.edits.to", { h: number(to, 1) });
      case "height":
        return from === null ? t("plan.edits.to", { h: number(to ?? 0, 1) }) : t("plan.edits.from_to", { a: number(from, 1), b: number(to ?? 0, 1) });
      case "move": {
        const [a, b] = [(op["move"] as number[] | undefined) ?? [0, 0], (before?.["move"] as number[] | undefined) ?? [0, 0]];
        return t("plan.edits.moved", { n: number(Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!), 1) });
      }
      case "turn":
        return t("plan.edits.turned", { n: number(Number(op["turn_deg"] ?? 0) - Number(before?.["turn_deg"] ?? 0), 1) });
      case "name":
        return String(op["name"] ?? "");
      default:
        return "";
    }
  };
  return { t, number, when, who, short, did };
}

/** A quiet colour for somebody, always the same. */
export function colourOf(name: string): string {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)!) % 360;
  return `hsl(${sum} 38% 38%)`;
}
export const initial = (name: string): string => (name.trim() ? [...name.trim()][0]!.toUpperCase() : "·");
