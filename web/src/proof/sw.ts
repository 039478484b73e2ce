// Keeps a bag's page, its files and what it was checked by, and gives them out when nobody answers; what was kept says so.
// It stands alone: nothing is imported, so that it is one file at a fixed address.
interface Ask { page: string; files: string[]; data: string[] }
interface Life extends Event { waitUntil(done: Promise<unknown>): void }
interface Asked extends Life { request: Request; respondWith(answer: Promise<Response>): void }
const worker = self as unknown as {
  addEventListener(kind: "install" | "activate", heard: (event: Life) => void): void;
  addEventListener(kind: "fetch", heard: (event: Asked) => void): void;
  addEventListener(kind: "message", heard: (event: MessageEvent<Ask>) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
};
const [PAGES, FILES, DATA] = ["proof-pages-1", "proof-files-1", "proof-data-1"] as const;
const MOST = 400;
const PATIENCE_MS = 6000;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (event) => void store(event.data).then((done) => event.ports[0]?.postMessage(done)));
worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event.request));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(file(event.request));
  else if (/\/(01|certificates|status-lists|collections)\/|\/did\.json$/.test(url.pathname)) event.respondWith(data(event.request));
});

async function put(cache: string, key: string, answer: Response): Promise<void> {
  const open = await caches.open(cache);
  await open.delete(key, { ignoreVary: true }); // the newest is the last of the keys
  await open.put(key, answer);
  const keys = await open.keys();
  for (const old of keys.slice(0, Math.max(0, keys.length - MOST))) await open.delete(old, { ignoreVary: true });
}

async function store(ask: Ask): Promise<boolean> {
  try {
    const whole = await fetch(ask.page, { headers: { Accept: "text/html" } });
    if (!whole.ok) return false;
    await put(PAGES, ask.page, whole);
    const found = await Promise.all([
      ...ask.files.map(async (path) => ((await (await caches.open(FILES)).match(path, { ignoreVary: true })) ? undefined : put(FILES, path, await fetch(path)))),
      ...ask.data.map(async (path) => {
        const answer = await fetch(path, { headers: { Accept: "*/*" } });
        if (answer.ok) await put(DATA, path, answer);
      }),
    ]);
    return found.length > 0;
  } catch {
    return false;
  }
}

const timely = (request: Request): Promise<Response> =>
  Promise.race([fetch(request), new Promise<Response>((_, refuse) => setTimeout(() => refuse(new Error("slow")), PATIENCE_MS))]);

async function page(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  try {
    const answer = await timely(request);
    if (answer.status < 500) {
      if (answer.ok && !new URL(request.url).searchParams.has("f")) await put(PAGES, path, answer.clone());
      return answer;
    }
  } catch {
    // what was kept
  }
  return (await (await caches.open(PAGES)).match(path, { ignoreVary: true })) ?? Response.error();
}

async function file(request: Request): Promise<Response> {
  const known = await (await caches.open(FILES)).match(request, { ignoreVary: true });
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await put(FILES, request.url, answer.clone());
  return answer;
}

async function data(request: Request): Promise<Response> {
  const url = new URL(request.url);
  const key = url.pathname + url.search;
  try {
    const answer = await timely(request);
    if (answer.status < 500) {
      if (answer.ok) await put(DATA, key, answer.clone());
      return answer;
    }
  } catch {
    // what was kept
  }
  const kept = await (await caches.open(DATA)).match(key, { ignoreVary: true });
  if (!kept) return Response.error();
  const headers = new Headers(kept.headers);
  headers.set("x-proof-kept", "1");
  return new Response(kept.body, { status: kept.status, headers });
}
