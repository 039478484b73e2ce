import "./theme/page.css";
import { createApp, h, watch } from "vue";
import { api } from "./api/client";
import { createWords } from "./i18n";
import App from "./panels/App.vue";
import { createAtlas } from "./scene/atlas";
import { createViewer } from "./scene/viewer";
import { readLink } from "./state/link";
import { createState, openTwin } from "./state/store";

const link = readLink(location.search, navigator.language);
const state = createState(api, link);
createApp({ render: () => h(App, { state }) }).use(createWords(link.lang)).mount("#app");
const viewer = createViewer(document.getElementById("scene")!);
let shown: { destroy(): void } | null = null;
watch(() => state.twins.current, (twin) => {
  shown?.destroy();
  shown = twin?.kind === "atlas" ? createAtlas(viewer, state) : null;
});
void openTwin(state, link.twin);
