// Certificates and recalls as the page reads them. Pure.
import type { Certificate } from "../api/produce";

/** Of each lot the certificate that counts: one that holds, else the newest. */
export function newestByLot(all: readonly Certificate[]): Map<string, Certificate> {
  const found = new Map<string, Certificate>();
  for (const one of [...all].sort((a, b) => Number(a.state === "valid") - Number(b.state === "valid") || a.issued.localeCompare(b.issued))) found.set(one.lot, one);
  return found;
}
/** An id without what all of them share. */
export const shortName = (id: string): string => id.split("-").slice(-2).join("-");
/** Seconds from one moment to another; `null` where one is not known. */
export function secondsBetween(from: string | null | undefined, to: string | null | undefined): number | null {
  const [a, b] = [Date.parse(from ?? ""), Date.parse(to ?? "")];
  return Number.isNaN(a) || Number.isNaN(b) ? null : Math.max(0, (b - a) / 1000);
}
