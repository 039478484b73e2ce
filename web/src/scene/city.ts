import { type Cartesian2, Cartesian3, DirectionalLight, Math as M, Matrix4, ShadowMap, type CesiumWidget, type Scene } from "@cesium/engine";
import { watch, watchEffect } from "vue";
import type { Twin } from "../api/types";
import type { Clock } from "../state/clock";
import type { Held } from "../state/object";
import { told, type State } from "../state/store";
import type { Sunlight } from "../state/sunlight";
import { createBaseMap } from "./basemap";
import { createBuildings, type Buildings } from "./buildings";
import { followCamera, goHome } from "./camera";
import { createEdge } from "./edge";
import { createFacades } from "./facades";
import { flatGround } from "./ground";
import { createGroundLayer } from "./ground-layer";
import { createHandle } from "./handle";
import { createLabels, type Label } from "./labels";
import { createMarks } from "./marks";
import { createOverlay } from "./overlay";
import { createPace } from "./pace";
import { groundUnder, placeOf, type Place } from "./place";
import { createPointer } from "./pointer";
import { createSolids, type Solids } from "./solids";

/** A tool that takes the hand while it is out: it hears everything first. */
export interface Tool {
  /** Whether it takes hold of what lies under the hand. */
  grab(screen: Cartesian2, touch: boolean): boolean;
  pull(screen: Cartesian2, keys: { shift: boolean }): void;
  release(): void;
  /** Every move of a free hand. */
  move(screen: Cartesian2, keys: { shift: boolean }): void;
  /** Whether the click is the tool's own; else it chooses, as ever. */
  click(screen: Cartesian2, building: string | null, keys: { shift: boolean }): boolean;
  hover(screen: Cartesian2 | null, building: string | null): string | null;
  key(event: KeyboardEvent): boolean;
  /** While the camera moves and the picture is drawn anew. */
  arrange(): void;
}

/** What a guest of the scene works with. */
export interface Stage {
  readonly scene: Scene;
  readonly canvas: HTMLCanvasElement;
  readonly place: Place;
  readonly lite: boolean;
  /** The sun in east, north, up; null at night or where shadows are off. */
  sun(): Cartesian3 | null;
  tool: Tool | null;
  /** Buildings that a plan has otherwise are neither drawn nor cast a shadow. */
  without(ids: ReadonlySet<string>): void;
  /** Something moves: draw coarser where drawing is slow. */
  moving(): void;
  render(): void;
  /** The building in the hand is looked at anew. */
  refresh(): void;
}

export interface CityParts { state: State; clock: Clock; sunlight: Sunlight; held: Held; words: { edge: { ko: string; en: string } } }

const LOOK_OF: Record<string, Label["look"]> = { station: "station", metro: "station", subway: "station", neighbourhood: "area", town: "area" };

/** The scene of a 3D city: lives until `destroy`. */
export function createCity(widget: CesiumWidget, twin: Twin, parts: CityParts): { destroy(): void; stage: Stage } {
  const { state, clock, sunlight, held } = parts;
  const { scene } = widget;
  const lite = state.looks.lite;
  const place = placeOf(twin);
  const ends: (() => void)[] = [];
  let alive = true;
  const render = () => scene.requestRender();

  scene.terrainProvider = flatGround(twin.ground.ellipsoidal_m);
  goHome(widget, twin, state.place.wanted);
  state.place.wanted = null;
  ends.push(followCamera(widget, state, twin));

  const overlay = createOverlay(scene, place);
  const facades = createFacades(scene, place);
  const labels = createLabels(scene);
  const marks = createMarks(scene, state.api, twin.id, twin.ground.ellipsoidal_m);
  const groundLayer = createGroundLayer(scene);
  ends.push(watch(() => state.ground.grid, (grid) => groundLayer.showGrid(grid), { immediate: true }), () => groundLayer.destroy());
  const edge = createEdge(scene, twin, parts.words.edge);
  const handle = createHandle(scene, place);
  let resting = !lite;
  const pace = createPace(widget, lite, (rests) => {
    resting = rests && !!buildings;
    shadeBuildings();
  });
  let buildings: Buildings | null = null;
  let solids: Solids | null = null;
  let without: ReadonlySet<string> = new Set();
  const ours = scene.primitives;
  ours.add(overlay);
  labels.set(edge.labels);

  const shadeBuildings = () => {
    scene.shadowMap.enabled = resting && state.looks.mode === "shadow" && (clock.sun.value?.altitude ?? 0) > 1;
  };

  // The light is the sun's, as the server computes it; its vector in east, north, up serves the shadows on the ground.
  const sunVector = new Cartesian3();
  ends.push(
    watchEffect(() => {
      const sun = clock.sun.value;
      if (!sun) return;
      const az = M.toRadians(sun.azimuth);
      const al = M.toRadians(sun.altitude);
      sunVector.x = Math.sin(az) * Math.cos(al);
      sunVector.y = Math.cos(az) * Math.cos(al);
      sunVector.z = Math.sin(al);
      const toward = Matrix4.multiplyByPointAsVector(place.enu, sunVector, new Cartesian3());
      scene.light = new DirectionalLight({ direction: Cartesian3.negate(toward, new Cartesian3()) });
      if (solids) solids.sun = sun.altitude > 0 ? sunVector : null;
      shadeBuildings();
      render();
    }),
  );

  void told(state, async () => {
    buildings = await createBuildings(scene, place, state.api.tileset(twin.id, "buildings"), lite);
    if (!alive) {
      buildings.destroy();
      return;
    }
    solids = createSolids(scene, place, buildings);
    solids.sun = sunVector.z > 0 ? sunVector : null;
    buildings.without(without);
    solids.without(without);
    ours.add(solids);
    ours.add(facades);
    // Buildings on buildings are left to a shadow map (in software, of the resting picture only).
    const map = scene.shadowMap as ShadowMap;
    map.size = lite ? 2048 : 4096;
    map.maximumDistance = 3500;
    map.darkness = 0.76;
    // Our walls are flat and bring no normals to the map: they keep clear of their own shadow by depth, a few metres.
    Object.assign((map as unknown as { _primitiveBias: object })._primitiveBias, { depthBias: lite ? 0.0018 : 0.0012, polygonOffsetFactor: 4, polygonOffsetUnits: 16 });
    map.softShadows = true;
    map.normalOffset = true;
    map.fadingEnabled = false;
    buildings.tileset.initialTilesLoaded.addEventListener(() => {
      state.status.ready = true;
      render();
    });
    // Followed to its tip: the shadow of the chosen building, or else of the tallest.
    const trace = () => {
      const chosen = state.pick.selection;
      if (solids) solids.traced = (chosen?.layer === "buildings" && chosen.id) || (buildings?.tallest() ?? null);
      render();
    };
    buildings.onTiles.push(() => {
      refreshHeld();
      trace();
    });
    ends.push(watch(() => state.pick.selection, trace));
    refreshLooks();
    refreshHeld();
    render();
  });
  void told(state, async () => {
    const map = await createBaseMap(state.api, twin, lite);
    if (!alive) return;
    scene.imageryLayers.add(map.layer);
    ends.push(() => void scene.imageryLayers.remove(map.layer));
    at = map.at;
    render();
    const named = (await map.places("places")).map(({ properties: p, lon, lat }): Label => {
      const kind = String(p["kind"] ?? "");
      const rank = Number(p["rank"] ?? 5);
      const name = String(p["name"] ?? "");
      return {
        id: String(p["id"] ?? name),
        layer: String(p["of"] ?? "places"),
        names: { ko: String(p["name_ko"] ?? name), en: String(p["name_en"] ?? name) },
        position: Cartesian3.fromDegrees(lon, lat, twin.ground.ellipsoidal_m),
        rank: 1 + rank,
        look: LOOK_OF[kind] ?? "place",
        reach: rank <= 1 ? 9000 : rank <= 2 ? 5000 : rank <= 3 ? 2800 : 1500,
      };
    });
    if (alive) labels.set([...edge.labels, ...named]);
  });
  let at: Awaited<ReturnType<typeof createBaseMap>>["at"] | null = null;

  const refreshLooks = () => {
    const { mode } = state.looks;
    overlay.show = mode === "shadow" || !sunlight.now.ready ? "none" : mode;
    facades.on = mode !== "shadow" && sunlight.now.ready && state.looks.facades;
    // A result on the ground is read by its colours: no shadow darkens them.
    if (solids) solids.shadowsOn = (mode === "shadow" || !sunlight.now.ready) && !state.ground.grid;
    shadeBuildings();
    render();
  };
  ends.push(
    watch(() => [state.looks.mode, state.looks.facades, sunlight.now.ready, state.ground.grid], refreshLooks),
    watch(
      () => sunlight.now.version,
      (version) => {
        overlay.take(sunlight);
        facades.take(sunlight);
        refreshLooks();
        const off = scene.postRender.addEventListener(() => {
          off();
          sunlight.painted(version);
        });
        render();
      },
    ),
    watch(() => state.looks.lang, (lang) => labels.language(lang), { immediate: true }),
    watch(() => [...state.looks.layers], (layers) => void told(state, () => marks.show(layers.filter((l) => pointLayers.has(l)))), { immediate: true, flush: "post" }),
  );

  const stage: Stage = {
    scene,
    canvas: widget.canvas,
    place,
    lite,
    sun: () => ((state.looks.mode === "shadow" || !sunlight.now.ready) && sunVector.z > 0.02 ? sunVector : null),
    tool: null,
    without(ids) {
      without = ids;
      buildings?.without(ids);
      solids?.without(ids);
      render();
    },
    moving: () => pace.moving(performance.now()),
    render,
    refresh: () => refreshHeld(),
  };

  // The building in the hand.
  let foot: Cartesian3 | null = null;
  function refreshHeld(): void {
    const { id, object, height, wanted } = held.now;
    const selection = state.pick.selection;
    if (selection && object?.building && !stage.tool) {
      foot = Cartesian3.fromDegrees(selection.lon, selection.lat, twin.ground.ellipsoidal_m);
      handle.set({ foot, height: wanted });
    } else handle.set(null);
    const edited = !stage.tool && id !== null && !!object?.building && wanted !== height && height > 0;
    buildings?.hide(edited ? id : null);
    if (solids) solids.held = edited ? { id, stretch: wanted / height } : null;
    buildings?.mark(state.pick.hover, selection?.layer === "buildings" ? selection.id : null);
    render();
  }
  ends.push(watch(() => [held.now.id, held.now.object, held.now.wanted, state.pick.selection, state.pick.hover], refreshHeld));

  let grip = 0;
  let tooled = false;
  const pointer = createPointer(
    scene,
    {
      grab(screen, touch) {
        if (stage.tool?.grab(screen, touch)) {
          tooled = true;
          return true;
        }
        if (!handle.hit(screen)) return false;
        grip = held.now.wanted - (handle.heightAt(screen) ?? 0);
        handle.active(true);
        return true;
      },
      pull(screen, keys) {
        if (tooled) {
          stage.tool?.pull(screen, keys);
          pace.moving(performance.now());
          return;
        }
        const height = handle.heightAt(screen);
        if (height !== null) held.pull(height + grip);
        pace.moving(performance.now());
      },
      release() {
        if (tooled) stage.tool?.release();
        tooled = false;
        handle.active(false);
        render();
      },
      move: (screen, keys) => stage.tool?.move(screen, keys),
      hover(screen, building) {
        const cursor = stage.tool?.hover(screen, building);
        if (cursor != null) {
          state.pick.hover = cursor === "crosshair" ? null : building;
          widget.canvas.style.cursor = cursor;
          return;
        }
        state.pick.hover = building;
        const grabby = screen && (handle.hit(screen) || building || marks.at(screen) || labels.at(screen));
        widget.canvas.style.cursor = screen && handle.hit(screen) ? "ns-resize" : grabby ? "pointer" : "";
      },
      click(screen, building, keys) {
        if (!stage.tool?.click(screen, building, keys)) void told(state, () => choose(screen, building));
      },
    },
    lite ? 140 : 40,
  );

  async function choose(screen: Cartesian2, building: string | null): Promise<void> {
    const under = groundUnder(scene, place, screen);
    const mark = marks.at(screen);
    if (mark) {
      state.pick.selection = { id: String(mark.feature.id ?? ""), layer: mark.layer, lon: mark.lon, lat: mark.lat, feature: mark.feature };
      return;
    }
    const label = labels.at(screen);
    if (label && label.layer !== "edge") {
      const { features } = await state.api.items(twin.id, label.layer, { id: label.id, limit: 1 });
      const feature = features[0];
      if (feature && under) {
        state.pick.selection = { id: label.id, layer: label.layer, lon: under.lon, lat: under.lat, feature };
        return;
      }
    }
    if (building) {
      const foot_ = await footOf(building, under);
      state.pick.selection = { id: building, layer: "buildings", ...foot_, feature: null };
      return;
    }
    if (!under) return;
    const metres = Math.max(4, Cartesian3.distance(scene.camera.positionWC, under.position) * 0.006);
    const found = await at?.(under.lon, under.lat, metres);
    state.pick.selection = found
      ? { id: String(found.feature.id ?? ""), layer: found.layer, lon: under.lon, lat: under.lat, feature: found.feature }
      : null;
  }

  async function footOf(id: string, otherwise: { lon: number; lat: number } | null): Promise<{ lon: number; lat: number }> {
    // What the card shows comes from the same answer; the browser has it once.
    const object = await state.api.object(twin.id, id).catch(() => null);
    return object?.lon != null && object.lat != null
      ? { lon: object.lon, lat: object.lat }
      : { lon: otherwise?.lon ?? twin.home.lon, lat: otherwise?.lat ?? twin.home.lat };
  }

  const pointLayers = new Set(
    twin.layers.filter((l) => l.kind === "features" && /point/i.test(l.geometry ?? "") && l.id !== "facades").map((l) => l.id),
  );

  const onKey = (event: KeyboardEvent) => {
    if (stage.tool?.key(event)) {
      event.preventDefault();
      return;
    }
    if (stage.tool || !held.now.object?.building || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    held.pull(held.now.wanted + (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1));
  };
  widget.canvas.addEventListener("keydown", onKey);
  ends.push(() => widget.canvas.removeEventListener("keydown", onKey));

  // The day plays; everything else draws only when something changed.
  let before = performance.now();
  let arranged = 0;
  let drawnAt = 0;
  const loop = (now: number) => {
    if (!alive) return;
    requestAnimationFrame(loop);
    const seconds = Math.min(0.5, (now - before) / 1000);
    if (clock.at.playing && !document.hidden && state.status.ready) {
      if (now - drawnAt >= (lite ? 120 : 0)) {
        clock.tick(Math.min(0.5, (now - drawnAt) / 1000 || seconds));
        drawnAt = now;
        pace.moving(now);
      }
    } else drawnAt = now;
    before = now;
    // The engine hears only of its own requests; the ground and its map are made here.
    if (!scene.globe.tilesLoaded) render();
    pace.frame(now);
    if (now - arranged > 200 && moved) {
      arranged = now;
      moved = false;
      labels.arrange();
      stage.tool?.arrange();
      if (foot && !stage.tool) handle.set(held.now.object?.building ? { foot, height: held.now.wanted } : null);
    }
  };
  let moved = true;
  scene.camera.percentageChanged = 0.01;
  pace.moving(performance.now());
  ends.push(
    scene.globe.tileLoadProgressEvent.addEventListener(() => pace.moving(performance.now())),
    scene.camera.changed.addEventListener(() => {
      moved = true;
      pace.moving(performance.now());
    }),
    scene.preRender.addEventListener(() => buildings?.update()),
  );
  requestAnimationFrame(loop);

  return {
    stage,
    destroy() {
      alive = false;
      for (const end of ends) end();
      pointer.destroy();
      handle.destroy();
      edge.destroy();
      labels.destroy();
      marks.destroy();
      if (solids) ours.remove(solids);
      ours.remove(facades);
      ours.remove(overlay);
      buildings?.destroy();
      state.status.ready = false;
      render();
    },
  };
}
