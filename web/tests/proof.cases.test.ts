// What the page says of every certificate of the table that the server is asked about too (tests/programme/certificate_cases.py).
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check, lotOf } from "../src/proof/check";
import { subjectOf, type DidDocument } from "../src/proof/credential";

interface Case { name: string; certificate: string | number; status: string | null; why: string }
interface Table { did: string; link: string; now: string; keys: { public: string; retired?: string; revoked?: string }[]; status: string; cases: Case[] }
const table = JSON.parse(readFileSync(new URL("../../tests/programme/certificate_cases.json", import.meta.url), "utf8")) as Table;
const document: DidDocument = {
  id: table.did,
  verificationMethod: table.keys.map((one) => ({
    id: `${table.did}#${one.public}`, type: "Multikey", controller: table.did, publicKeyMultibase: one.public, expires: one.retired, revoked: one.revoked,
  })),
};

describe("the page says of a certificate what the server says", () => {
  it.each(table.cases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const jwt = typeof one.certificate === "number" ? `a.b.${"A".repeat(one.certificate)}` : one.certificate;
    const seen = { did: table.did, document, trusted: null, lot: lotOf(table.link), status: one.status ?? table.status, fresh: true, entry: null, origin: "x" };
    const found = await check(jwt, seen, Date.parse(table.now));
    expect(found.why).toBe(one.why || "ledger-unknown");
    expect(found.state).toBe(["", "status-unknown", "status-old"].includes(one.why) ? "unknown" : "bad");
    if (found.credential) expect(subjectOf(found.credential)).toBeNull(); // none of them says all that the page tells of a bag
  });
});
