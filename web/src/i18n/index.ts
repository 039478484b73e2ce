import { createI18n } from "vue-i18n";

/** The languages of the page. */
export type Lang = "ko" | "en";

// Files are `[room.]lang.json`; a room's words stand under its own key (`atlas.ko.json` → `atlas.…`).
const files = import.meta.glob<Record<string, unknown>>(["./*.json", "!./plan.*.json", "!./result.*.json", "!./exchange.*.json", "!./know.*.json", "!./account.*.json", "!./events.*.json", "!./produce.*.json"], { eager: true, import: "default" });
// Rooms that the first view does not show bring their words with them.
const later = import.meta.glob<Record<string, unknown>>(["./plan.*.json", "./result.*.json", "./exchange.*.json", "./know.*.json", "./account.*.json", "./events.*.json", "./produce.*.json"], { import: "default" });

function words(lang: Lang): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [path, content] of Object.entries(files)) {
    const [room, tongue] = path.slice(2, -5).split(".");
    if (tongue === undefined && room === lang) Object.assign(all, content);
    if (tongue === lang && room) all[room] = content;
  }
  return all;
}

/** A word in both languages, for what is drawn rather than written. */
export function inBoth(key: string): { ko: string; en: string } {
  return { ko: String(words("ko")[key] ?? key), en: String(words("en")[key] ?? key) };
}

let made: ReturnType<typeof createI18n> | null = null;

/** Brings the words of rooms that are opened later ("plan", "result", "exchange", "know", "account", "events", "produce"), in both languages. */
export async function bringWords(...rooms: string[]): Promise<void> {
  await Promise.all(
    rooms.flatMap((room) =>
      (["ko", "en"] as const).map(async (lang) => {
        const words = await later[`./${room}.${lang}.json`]?.();
        if (words) made?.global.mergeLocaleMessage(lang, { [room]: words });
      }),
    ),
  );
}

/** A word in the page's language, for what is drawn rather than written. */
export const word = (key: string, values: Record<string, unknown> = {}): string =>
  (made?.global.t as unknown as ((key: string, values: object) => string) | undefined)?.(key, values) ?? key;

/** The translator; `legacy: false`, so panels use `useI18n()`. */
export function createWords(lang: Lang) {
  const translator = createI18n({
    legacy: false,
    locale: lang,
    fallbackLocale: "en",
    messages: { ko: words("ko"), en: words("en") } as never,
  });
  made = translator as unknown as typeof made;
  return translator;
}
