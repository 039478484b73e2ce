import { defineAsyncComponent, type Component } from "vue";
import { bringWords } from "../../i18n";

/** A further room of the column: its page comes with the room, and its name is `exchange.room.<id>`. */
export interface FurtherRoom { id: string; page: Component }

/** Rooms beside peers, offers, agreements and the ledger; a new one is a line here, a page and its words. */
export const ROOMS: FurtherRoom[] = [
  { id: "playbooks", page: defineAsyncComponent(() => bringWords("know").then(() => import("./PlaybooksPage.vue"))) },
  { id: "workplan", page: defineAsyncComponent(() => bringWords("know").then(() => import("./WorkplanPage.vue"))) },
  { id: "gate", page: defineAsyncComponent(() => import("./GatePage.vue")) },
];
