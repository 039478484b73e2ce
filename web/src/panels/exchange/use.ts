import { computed } from "vue";
import { useI18n } from "vue-i18n";
import type { Both, Peer } from "../../api/exchange";
import { writeSpot, type Spot } from "../../state/exchange";
import { idOf, kindOf, sidesOf } from "../../state/exchange-terms";
import { madeOf } from "../../state/exchange-remedy";
import { peerOf, roomOf, tailOf, type Room } from "../../state/exchange-room";
import { usePage } from "../page";
import { useTold } from "../told";

/** The room of this twin, the way about in it, and how it writes names, days and lengths. */
export function useRoom() {
  const page = usePage();
  const { state } = page;
  const { t, te, locale } = useI18n();
  const room: Room = roomOf(state.twins.current!.id);
  const lang = computed<"ko" | "en">(() => (locale.value === "ko" ? "ko" : "en"));
  const { tongue, moment } = useTold();

  function go(where: string, id = ""): void {
    state.exchange.at = { page: where, id };
    room.trouble = "";
  }
  const here = (spot: Spot) => writeSpot(spot) === writeSpot(state.exchange.at);

  const both = (said: string | Both | null | undefined): string => (typeof said === "string" ? said : (said?.[lang.value] ?? said?.ko ?? ""));
  /** A city by its DID or the id of the peer, in the page's language. */
  function cityBoth(did: string): Both {
    const peer = peerOf(room, did);
    const tail = tailOf(peer?.did ?? did);
    const own = state.twins.list.find((one) => one.id === tail);
    return own?.names ?? { ko: peer?.id ?? tail, en: peer?.id ?? tail };
  }
  const city = (did: string): string => cityBoth(did)[lang.value];
  const us = computed(() => state.twins.current!.names[lang.value]);

  /** Whether a peer answers: "there", "away" or not known yet. */
  const standing = (peer: Peer) => ({ reached: "there", silent: "away", strange: "strange" } as Record<string, string>)[peer.state] ?? "unknown";
  const standingLook = (peer: Peer) => ({ reached: "good", silent: "bad", strange: "bad" } as Record<string, string>)[peer.state] ?? "";

  /** What an asset is called: here by its layer, plan or process, elsewhere by what the partner calls it. */
  function assetName(asset: string, titles: Record<string, string> = {}): string {
    const [kind, id] = [kindOf(asset), idOf(asset)];
    if (titles[asset]) return titles[asset];
    // A plan goes as the layer of what it builds.
    if (kind === "layer" && id.startsWith("plan-")) {
      const plan = room.scenarios.find((s) => s.id.startsWith(id.slice(5)));
      if (plan) return plan.name;
    }
    if (kind === "layer") {
      const known = both(state.twins.current!.layers.find((l) => l.id === id)?.names);
      // What a remedy made while the page was open is called as the server calls it.
      const made = known ? null : madeOf(asset);
      return made ? t("exchange.gate.release-of", { layer: assetName(`layer:${made.layer}`, titles), n: made.number }) : known || id;
    }
    if (kind === "scenario") return room.scenarios.find((s) => s.id === id)?.name ?? id.slice(0, 8);
    if (kind === "process") {
      const process = room.processes.find((p) => p.id === id);
      return both(process?.names) || (te(`exchange.process.${id}`) ? t(`exchange.process.${id}`) : (process?.title ?? id));
    }
    return id;
  }
  const kind = (asset: string) => t(`exchange.kind.${kindOf(asset)}`);

  const day = (text: string | null | undefined): string => {
    const at = Date.parse(text ?? "");
    return Number.isNaN(at) ? "" : new Intl.DateTimeFormat(tongue(), { dateStyle: "medium", timeZone: state.twins.current!.time_zone }).format(at);
  };
  const when = (text: string | null | undefined): string => moment(text, true);
  const number = (n: number, digits = 0) => n.toLocaleString(tongue(), { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const length = (m: number) => (m >= 950 ? `${number(m / 1000, m >= 9950 ? 0 : 1)} km` : `${number(m)} m`);
  const size = (box: [number, number, number, number]) => sidesOf(box).map(length).join(" × ");
  const purpose = (code: string) => (te(`exchange.purpose.${code}`) ? t(`exchange.purpose.${code}`) : code);
  /** A refusal in words: the page's own where it knows the line, else the server's. */
  const trouble = (text: string) => (te(`exchange.trouble.${text}`) ? t(`exchange.trouble.${text}`) : text);
  const key = (text: string | undefined | null) => (text ? (text.split("#").pop() ?? text) : "");
  return { page, tongue, state, room, t, te, lang, go, here, both, city, cityBoth, us, assetName, kind, day, when, number, length, size, purpose, trouble, key, standing, standingLook };
}
