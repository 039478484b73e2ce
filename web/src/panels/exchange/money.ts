import { useRoom } from "./use";

/** How sums and calendar days are written in the page's language. */
export function useMoney() {
  const { t, lang } = useRoom();
  const tongue = () => (lang.value === "ko" ? "ko-KR" : "en-GB");
  /** Whole units of a currency (ISO 4217). */
  const money = (amount: number, currency: string): string =>
    !amount ? t("know.plan.free") : currency === "KRW" && lang.value === "ko" ? `${amount.toLocaleString("ko-KR", { maximumFractionDigits: 0 })}원` : new Intl.NumberFormat(tongue(), { style: "currency", currency, currencyDisplay: lang.value === "ko" ? "name" : "code", maximumFractionDigits: 0 }).format(amount);
  /** A day of the calendar is the same day wherever it is read. */
  const date = (day: string): string => {
    const at = Date.parse(`${day}T00:00:00Z`);
    return Number.isNaN(at) ? day : new Intl.DateTimeFormat(tongue(), { dateStyle: "medium", timeZone: "UTC" }).format(at);
  };
  return { money, date };
}
