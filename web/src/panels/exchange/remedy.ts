import { reactive } from "vue";
import { exchangeApi, type Both, type Preview } from "../../api/exchange";
import { troubleOf } from "../../state/exchange-remedy";
import { useRoom } from "./use";

/** Rules by twin and id, in both languages: asked for once while the page is open. */
const rules = reactive(new Map<string, Record<string, Both>>());

/** How remedies are told on the page: their kinds, their numbers, the rules that they clear, and what went wrong. */
export function useRemedy() {
  const kit = useRoom();
  const { room, t, te, both, number } = kit;
  if (!rules.has(room.twin)) {
    rules.set(room.twin, {});
    exchangeApi.rules(room.twin).then((all) => rules.set(room.twin, Object.fromEntries(all.map((r) => [r.id, r.title as Both]))), () => rules.delete(room.twin));
  }
  const rule = (id: string): string => both(rules.get(room.twin)?.[id]);
  const kindName = (kind: string): string => (te(`exchange.gate.remedy.${kind}`) ? t(`exchange.gate.remedy.${kind}`) : kind);
  const field = (name: string): string => (te(`exchange.remedy.field.${name}`) ? t(`exchange.remedy.field.${name}`) : name);
  /** What a site or a column is called. */
  const called = (preview: Preview | null, group: "sites" | "columns", id: string): string => both(preview?.names[group][id]) || id;
  const metres = (m: number): string => `${m.toLocaleString(kit.tongue(), { maximumFractionDigits: 3 })} m`;
  const words = (error: unknown): string => {
    const { key, parameter } = troubleOf(error);
    const told = t(`exchange.remedy.trouble.${key}`, { what: field(parameter) });
    // What the page has no word for is told in the server's own words beside it.
    const strange = key === "failed" || (key === "bad-value" && !te(`exchange.remedy.field.${parameter}`));
    return strange && error instanceof Error && error.message ? `${told} (${error.message})` : told;
  };
  /** The same work, whose refusal is in the words of the page. */
  const worded = <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((error: unknown) => {
      throw new Error(words(error));
    });
  return { ...kit, rule, kindName, field, called, metres, number, words, worded };
}
