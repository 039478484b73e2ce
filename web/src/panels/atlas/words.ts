/** How the atlas writes numbers, days, names and the words of its data. */

import { computed } from "vue";
import { useI18n } from "vue-i18n";
import type { Town } from "../../state/atlas/towns";

export function useWords() {
  const { t, tm, locale } = useI18n();
  const format = (digits: number) =>
    new Intl.NumberFormat(locale.value, { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" });
  const formats = computed(() => [0, 1, 2].map(format));
  const dictionary = computed(() => tm("atlas.words") as Record<string, unknown>);

  const number = (value: number | null | undefined, digits = 0): string =>
    value === null || value === undefined ? "–" : (formats.value[digits] ?? format(digits)).format(value);
  /** A word of the data in the page's language; as the data has it where there is no other. */
  const word = (korean: string): string => {
    const found = dictionary.value[korean];
    return typeof found === "string" ? found : korean;
  };
  /** A word as it stands inside a sentence. */
  const within = (text: string): string => text.charAt(0).toLocaleLowerCase(locale.value) + text.slice(1);
  const english = (town: Town): string => town.en || (typeof dictionary.value[town.ko] === "string" ? (dictionary.value[town.ko] as string) : "");
  /** A town in a sentence: one name, in the page's language. */
  const townName = (town: Town): string => (locale.value === "ko" ? town.ko : english(town) || town.ko);
  const utc = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale.value, { timeZone: "UTC", ...options });
  const day = (seconds: number): string => utc({ year: "numeric", month: "short", day: "numeric" }).format(seconds * 1000);
  const monthName = (month: number, style: "short" | "narrow" | "long" = "short"): string =>
    utc({ month: style }).format(Date.UTC(2023, month - 1, 1));
  const yearMonth = (text: string): string =>
    utc({ year: "numeric", month: "short" }).format(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)) - 1, 1));
  return { t, locale, number, word, within, english, townName, day, monthName, yearMonth, utc };
}
