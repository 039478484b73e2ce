// The account of an event as officers fill it in, and both cities' signatures checked in the page.
import type { Account, Entries, Sale } from "../api/produce";
import { produceApi } from "../api/produce";
import { proofHolds } from "./exchange-proof";

/** The cells of a form; empty where nothing is said. */
export interface Cells { delivered: number | ""; sold: number | ""; wasted: number | ""; income: number | "" }
export interface AccountForm { rows: Record<string, Cells>; came: number | ""; error: number | ""; source: Entries["came_source"]; guest: number | ""; host: number | ""; note: { ko: string; en: string } }

const cell = (v: number | null): number | "" => v ?? "";
/** A form out of an account: what is known stands in it. */
export const formOf = (account: Account): AccountForm => ({
  rows: Object.fromEntries(account.products.map((p) => [p.product, { delivered: cell(p.delivered.value), sold: cell(p.sold.value), wasted: cell(p.wasted.value), income: cell(p.income.value) }])),
  came: cell(account.came.value), error: account.came.error || "", source: account.came.source === "assumed" ? "assumed" : "counted", guest: cell(account.spent.guest.value), host: cell(account.spent.host.value),
  note: { ...account.note },
}); // prettier-ignore

const said = (v: number | "" | null | undefined): number | null => (v === "" || v === null || v === undefined || !Number.isFinite(Number(v)) ? null : Number(v));
/** What a form says beyond the account: a number that stands there already keeps the source it has. */
export function entriesOf(form: AccountForm, account: Account): Entries {
  const fresh = (now: number | "", before: number | null) => (said(now) === before ? null : said(now));
  const sales: Sale[] = account.products.flatMap((p) => {
    const c = form.rows[p.product];
    if (!c) return [];
    const sale = { product: p.product, delivered_kg: fresh(c.delivered, p.delivered.value), sold_kg: fresh(c.sold, p.sold.value), wasted_kg: fresh(c.wasted, p.wasted.value), income: fresh(c.income, p.income.value) };
    return [sale.delivered_kg, sale.sold_kg, sale.wasted_kg, sale.income].some((v) => v !== null) ? [sale] : [];
  });
  return {
    sales, came: fresh(form.came, account.came.value), came_error: said(form.error) ?? 0, came_source: form.source,
    spent: { guest: fresh(form.guest, account.spent.guest.value), host: fresh(form.host, account.spent.host.value) }, note: form.note,
  }; // prettier-ignore
}

/** Whether each signature holds, worked out in this page from the document itself; `null` where this browser cannot. By the key that signed. */
export async function checkSignatures(twin: string, event: string): Promise<Record<string, boolean | null>> {
  const { document, proofs } = await produceApi.signedAccount(twin, event);
  const found = await Promise.all(proofs.map(async (proof) => {
    const key = String(proof["verificationMethod"] ?? "").split("#").pop() ?? "";
    return [key, await proofHolds({ ...document, proof } as never, key)] as const;
  }));
  return Object.fromEntries(found);
}
