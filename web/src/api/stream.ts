import { fetchHeaders } from "./client";

/** One event of a stream. */
export interface Told { event: string; data: string; id: string }

/** Reads the events out of a text that grows; what is unfinished stays in `rest`. Exported for its test. */
export function readEvents(text: string): { events: Told[]; rest: string } {
  const events: Told[] = [];
  const blocks = text.replace(/\r\n?/g, "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  for (const block of blocks) {
    const one: Told = { event: "message", data: "", id: "" };
    let any = false;
    for (const line of block.split("\n")) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (name === "data") {
        one.data += any ? `\n${value}` : value!;
        any = true;
      } else if (name === "event") one.event = value!;
      else if (name === "id") one.id = value!;
    }
    if (any) events.push(one);
  }
  return { events, rest };
}

/**
 * Follows a stream of server-sent events until it is stopped, and takes it up again where it broke off. Read with `fetch`, because
 * the browser's own reader cannot say who asks.
 */
export function follow(path: string, hear: (event: Told) => void, living?: (alive: boolean) => void): () => void {
  const stop = new AbortController();
  let last = "";
  const run = async () => {
    let wait = 1000;
    while (!stop.signal.aborted) {
      try {
        const answer = await fetch(path, {
          headers: { accept: "text/event-stream", ...(last ? { "last-event-id": last } : {}), ...fetchHeaders() },
          signal: stop.signal,
        });
        if (answer.status === 204 || (answer.status >= 400 && answer.status < 500 && answer.status !== 429)) {
          living?.(false);
          return;
        }
        if (answer.ok && answer.body) {
          living?.(true);
          wait = 1000;
          const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
          let text = "";
          for (;;) {
            const { value, done } = await reader.read();
            if (done) break;
            const { events, rest } = readEvents(text + value);
            text = rest;
            for (const event of events) {
              if (event.id) last = event.id;
              hear(event);
            }
          }
        }
      } catch {
        // the line broke, or we hung up
      }
      if (stop.signal.aborted) return;
      living?.(false);
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(15_000, wait * 1.7);
    }
  };
  void run();
  return () => stop.abort();
}
