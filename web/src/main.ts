import "./theme/page.css";
import { createApp, h, watch } from "vue";
import { api } from "./api/client";
import { bringWords, createWords, inBoth, word } from "./i18n";
import App from "./panels/App.vue";
import { createAtlas } from "./scene/atlas";
import { createCity, type Stage } from "./scene/city";
import { createViewer, drawsInSoftware } from "./scene/viewer";
import { createClock } from "./state/clock";
import { writeSpot } from "./state/exchange";
import { readLink, writeLink } from "./state/link";
import { createHeld } from "./state/object";
import { onMap } from "./state/produce-map";
import { createState, openTwin } from "./state/store";
import { createSunlight } from "./state/sunlight";

const link = readLink(location.search, navigator.language);
const state = createState(api, link);
state.looks.lite = link.lite ?? drawsInSoftware();
state.looks.reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
const clock = createClock(state, link);
const sunlight = createSunlight(state, clock);
const held = createHeld(state, clock, sunlight, link.edit && { op: "set", ...link.edit });

const viewer = createViewer(document.getElementById("scene")!, state.looks.lite);
createApp({ render: () => h(App, { page: { state, clock, sunlight, held } }) })
  .use(createWords(link.lang))
  .mount("#app");

let shown: { destroy(): void; stage?: Stage } | null = null;
let tools: { destroy(): void } | null = null;
/** The tools of a plan come when its column is opened, and go with it. */
async function bringTools(): Promise<void> {
  const stage = shown?.stage;
  if (!state.plan.open || !stage) {
    tools?.destroy();
    tools = null;
    return;
  }
  if (tools) return;
  const [{ createPlanStage }, { planningOf }] = await Promise.all([import("./scene/plan/stage"), import("./state/scenario"), bringWords("plan")]);
  if (tools || !state.plan.open || shown?.stage !== stage) return;
  tools = createPlanStage(stage, state, planningOf(state, clock, sunlight, held), (key, values) => word(`plan.hand.${key}`, values));
}
watch(() => state.plan.open, () => void bringTools());
// One column at a time.
const columns = [state.plan, state.exchange, state.events];
for (const one of columns) watch(() => one.open, (open) => open && columns.forEach((other) => other !== one && (other.open = false)));
let selected = link.selected;
let guests: { destroy(): void } | null = null;
let drawer: { destroy(): void } | null = null;
let festival: { destroy(): void; of: string } | null = null;
let stands: unknown[] = [];
/** What stands before the eye: the city or, where a partner's things lie elsewhere, the partner's place. */
async function bringScene(): Promise<void> {
  const twin = state.twins.current;
  const now = [twin, state.exchange.away?.gone ?? false];
  if (now.every((one, i) => one === stands[i])) return;
  stands = now;
  guests?.destroy();
  drawer?.destroy();
  festival?.destroy();
  carried?.destroy();
  carried = null;
  tools?.destroy();
  shown?.destroy();
  guests = drawer = festival = tools = shown = null;
  if (!twin) return;
  if (state.exchange.away?.gone) {
    const { createAway } = await import("./scene/away");
    if (state.exchange.away?.gone && state.twins.current === twin && !shown) shown = createAway(viewer, state);
    void bringFestival();
    return;
  }
  shown = twin.kind === "atlas" ? createAtlas(viewer, state) : createCity(viewer, twin, { state, clock, sunlight, held, words: { edge: inBoth("edge") } });
  void bringTools();
  void bringGuests();
  void bringFestival();
  void bringDeliveries();
}
/** The stage and the stands of an event stand in the picture of the place that it is at, as long as it is looked at there. */
async function bringFestival(): Promise<void> {
  const { shown: of, open } = state.events;
  const stage = shown?.stage;
  if (festival && (!open || festival.of !== of || !stage)) {
    festival.destroy();
    festival = null;
  }
  if (festival || !open || !of || !stage) return;
  const [{ createFestival }, { deskOf }] = await Promise.all([import("./scene/festival/festival"), import("./state/events-desk"), bringWords("events")]);
  const away = state.exchange.away?.gone ?? false;
  const { kind } = deskOf(state).ground.value;
  if (festival || !state.events.open || state.events.shown !== of || shown?.stage !== stage || (kind === "theirs") !== away) return;
  festival = { of, ...createFestival(stage, state, deskOf(state), (key, values) => word(`events.hand.${key}`, values), away) };
}
watch(() => [state.events.open, state.events.shown], () => void bringFestival());
/** What partners let us see of our own ground stands in the city's picture. */
async function bringGuests(): Promise<void> {
  const stage = shown?.stage;
  if (!stage || guests || !state.exchange.theirs.length || state.exchange.away?.gone) return;
  const { createTheirs } = await import("./scene/theirs");
  if (!guests && shown?.stage === stage) guests = createTheirs(stage.scene, stage, state);
}
/** A delivery plan lies over the atlas as long as its page is open. */
let carried: { destroy(): void } | null = null;
async function bringDeliveries(): Promise<void> {
  const wanted = () => onMap.lines.length > 0 && onMap.twin === state.twins.current?.id && state.twins.current.kind === "atlas" && !state.exchange.away?.gone && !!shown;
  if (!wanted()) {
    carried?.destroy();
    carried = null;
    return;
  }
  if (carried) return;
  const { createDeliveries } = await import("./scene/deliveries");
  if (!carried && wanted()) carried = createDeliveries(viewer, state);
}
watch(() => onMap.lines.length > 0, () => void bringDeliveries());
/** The box of terms that are being written is on the ground as long as they are. */
async function bringBox(): Promise<void> {
  const stage = shown?.stage;
  if (!stage || drawer) return;
  const { createBox } = await import("./scene/box");
  if (!drawer && shown?.stage === stage && (state.exchange.box || state.exchange.drawing)) drawer = createBox(stage, state);
}
watch(() => !!state.exchange.box || state.exchange.drawing, (any) => {
  if (any) return void bringBox();
  drawer?.destroy();
  drawer = null;
});
watch(() => state.exchange.theirs.length > 0, (any) => {
  if (any) return void bringGuests();
  guests?.destroy();
  guests = null;
});
watch(
  () => state.exchange.away?.gone ?? false,
  (gone) => {
    // On the way back the city is looked at from where it was left.
    if (!gone && state.twins.current?.kind === "city3d") state.place.wanted = state.place.camera;
    void bringScene();
  },
);
watch(
  () => state.twins.current,
  (twin) => {
    state.exchange.theirs = [];
    state.exchange.away = null;
    void bringScene();
    if (!twin) return;
    if (selected && !selected.startsWith("new/")) {
      const id = selected;
      selected = null;
      void api.object(twin.id, id).then(
        (o) => (state.pick.selection = { id, layer: o.layer, lon: o.lon ?? twin.home.lon, lat: o.lat ?? twin.home.lat, feature: null }),
        () => undefined,
      );
    }
    if (state.looks.mode !== "shadow") sunlight.need();
  },
);

// The address follows the view, so that it can be copied at any moment.
let writing: ReturnType<typeof setTimeout> | null = null;
watch(
  () => [
    state.twins.current, state.looks.lang, state.looks.mode, state.looks.layers, state.looks.atlas, state.place.camera, state.pick.selection,
    state.plan.open, state.plan.current, state.exchange.open, state.exchange.at, state.events.open, state.events.at, held.now.wanted, held.now.height, clock.at.date, clock.at.basis, clock.at.playing, clock.at.playing ? 0 : clock.at.minute,
  ],
  () => {
    if (writing) clearTimeout(writing);
    writing = setTimeout(() => {
      const twin = state.twins.current;
      if (!twin) return;
      const query = writeLink({
        twin: twin.id,
        lang: state.looks.lang,
        date: clock.at.date && clock.at.date !== twin.day ? clock.at.date : null,
        minute: clock.at.playing ? null : clock.at.minute,
        basis: clock.at.basis,
        mode: state.looks.mode,
        camera: state.place.camera,
        layers: state.looks.layers,
        selected: state.pick.selection?.id || null,
        edit: held.now.id && held.now.wanted !== held.now.height ? { object: held.now.id, height_m: held.now.wanted } : null,
        lite: link.lite,
        atlas: state.looks.atlas || null,
        plan: state.plan.open ? (state.plan.current?.id ?? state.plan.wanted ?? "") : null,
        partners: state.exchange.open ? writeSpot(state.exchange.at) : null,
        events: state.events.open ? writeSpot(state.events.at) : null,
      });
      history.replaceState(null, "", query);
    }, 350);
  },
);

void openTwin(state, link.twin);

// For the browser's console and the tests: what the page knows.
Object.assign(globalThis, { twintown: { state, clock, sunlight, held, viewer } });
