// What the page knows: the bag, its verdict, and how it came about.
import { reactive } from "vue";
import { check, lotOf, type Seen, type Verdict } from "./check";
import { following, keysOf, subjectOf, type Subject } from "./credential";
import { keep, load, Missing, pin, pinned, unpin, type Loaded } from "./load";

export interface Bagged {
  state: "looking" | "missing" | "done";
  why: "no-lot" | "away" | "";
  loaded: Loaded | null;
  verdict: Verdict | null;
  subject: Subject | null;
  /** When it was checked, and how long that took, milliseconds. */
  at: number;
  took: number;
  online: boolean;
  saved: boolean;
  /** Whether a pasted certificate is shown instead of the bag's. */
  pasted: boolean;
}
export const bag = reactive<Bagged>({ state: "looking", why: "", loaded: null, verdict: null, subject: null, at: 0, took: 0, online: true, saved: false, pasted: false });

const SOON_MS = 3000;
async function seenOf(loaded: Loaded): Promise<Seen> {
  const { document, bag: said } = loaded;
  const did = document?.id ?? "";
  let trusted: Set<string> | null = null;
  if (document) {
    const before = pinned(did);
    const now = keysOf(document).map((key) => key.public);
    trusted = before.length ? await following(document, before) : new Set(now);
    pin(did, trusted);
  }
  const address = new URL(said.identity);
  return { did, document, trusted, lot: lotOf(location.href), status: loaded.list, fresh: loaded.fresh, entry: loaded.entry, origin: `${address.host}${address.pathname.replace(/\/did\.json$/, "")}/ledger` };
}

/** Checks a certificate: the bag's, or one that somebody pasted. */
export async function look(jwt = bag.loaded?.bag.credential ?? "", pasted = false): Promise<Verdict | null> {
  if (!bag.loaded) return null;
  const seen = await seenOf(bag.loaded);
  const begun = performance.now();
  const verdict = await check(jwt, pasted ? { ...seen, entry: null } : seen, Date.now());
  Object.assign(bag, { verdict, subject: verdict.credential && subjectOf(verdict.credential), took: performance.now() - begun, at: Date.now(), pasted, state: "done" });
  return verdict;
}

/** Asks anew, checks, and keeps what was asked for. */
export async function refresh(): Promise<void> {
  try {
    const loaded = await load();
    bag.loaded = loaded;
    bag.online = loaded.fresh;
    await look();
    // What was issued this moment is in the ledger's tree in a second or two.
    if (bag.verdict?.why === "ledger-unknown" && loaded.fresh) setTimeout(() => !bag.pasted && void refresh(), SOON_MS);
    void keep(loaded.urls).then((saved) => (bag.saved = saved || bag.saved));
  } catch (error) {
    bag.state = "missing";
    bag.why = error instanceof Missing ? error.why : "away";
    bag.online = error instanceof Missing && error.why === "no-lot";
  }
}

/** Forgets the pinned keys, and pins what the city shows now. */
export async function forget(): Promise<void> {
  unpin(bag.loaded?.document?.id ?? "");
  await refresh();
}
