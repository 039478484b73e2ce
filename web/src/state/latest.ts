/** One question at a time, the latest wins: while one is on its way only the newest of those that come is kept. */
export interface Latest<Q> {
  ask(question: Q): void;
  /** Nothing that was asked so far is heard any more. */
  forget(): void;
  readonly busy: boolean;
}

export function latest<Q, A>(work: (question: Q, signal: AbortSignal) => Promise<A>, heard: (answer: A, question: Q) => void, failed: (error: unknown, question: Q) => void): Latest<Q> {
  let waiting: { question: Q } | null = null;
  let flying: AbortController | null = null;
  async function run(): Promise<void> {
    while (waiting) {
      const { question } = waiting;
      waiting = null;
      const mine = (flying = new AbortController());
      try {
        const answer = await work(question, mine.signal);
        if (flying !== mine) return;
        heard(answer, question);
      } catch (error) {
        if (flying !== mine) return;
        if (!(error instanceof DOMException && error.name === "AbortError")) failed(error, question);
      }
    }
    flying = null;
  }
  return {
    ask(question) {
      waiting = { question };
      if (!flying) void run();
    },
    forget() {
      waiting = null;
      flying?.abort();
      flying = null;
    },
    get busy() {
      return flying !== null;
    },
  };
}
