import { defineAsyncComponent, type Component } from "vue";
import { bringWords } from "../../i18n";

/** A room of the column: its page comes with the room, and what it is called is `events.room.<id>` of the words of the column. */
export interface EventsRoom {
  id: string;
  page: Component;
  /** Pages inside it, by the name that stands in the address: they keep the room's tab. */
  inside?: Record<string, Component>;
}

/** The rooms in the order of their tabs; a new one is a line here, a page (it gets `id`, the rest of the address) and its words. */
export const ROOMS: EventsRoom[] = [
  {
    id: "home",
    page: defineAsyncComponent(() => import("./EventList.vue")),
    inside: {
      event: defineAsyncComponent(() => import("./EventPage.vue")),
      write: defineAsyncComponent(() => import("./EventForm.vue")),
    },
  },
  { id: "produce", page: room(() => import("../produce/ProducePage.vue")) },
  { id: "deliveries", page: room(() => import("../produce/DeliveriesPage.vue")) },
  { id: "certificates", page: room(() => import("../produce/CertificatesPage.vue")) },
  { id: "account", page: room(() => import("../produce/AccountPage.vue")) },
];
/** A page whose words come with it. */
function room(page: () => Promise<{ default: Component }>): Component {
  return defineAsyncComponent(() => bringWords("produce", "result").then(page));
}
