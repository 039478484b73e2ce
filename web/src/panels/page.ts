import { inject, type InjectionKey } from "vue";
import type { Clock } from "../state/clock";
import type { Held } from "../state/object";
import type { State } from "../state/store";
import type { Sunlight } from "../state/sunlight";

/** What every panel may read. */
export interface Page { state: State; clock: Clock; sunlight: Sunlight; held: Held }

export const PAGE: InjectionKey<Page> = Symbol("page");

export function usePage(): Page {
  const page = inject(PAGE);
  if (!page) throw new Error("a panel stands outside the page");
  return page;
}
