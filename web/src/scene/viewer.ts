import {
  ApproximateTerrainHeights, CesiumWidget, Color, Credit, CreditDisplay, DirectionalLight, Cartesian3, Globe, ShadowMode, Transforms,
} from "@cesium/engine";
import "@cesium/engine/Source/Widget/CesiumWidget.css";

/** Whether this machine draws in software; asked of a throw-away context before the engine starts. */
export function drawsInSoftware(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return true;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|softpipe|basic render/i.test(name);
}

/** The engine without anything of its own: no ion, no sky, no outside request. */
export function createViewer(container: HTMLElement, lite: boolean): CesiumWidget {
  // The default credit loads a logo and the default earth orientation tables; none is wanted here.
  CreditDisplay.cesiumCredit = new Credit("CesiumJS", false);
  Transforms.computeIcrfToCentralBodyFixedMatrix = Transforms.computeTemeToPseudoFixedMatrix;
  ApproximateTerrainHeights.initialize = () => Promise.resolve();
  const globe = new Globe();
  const widget = new CesiumWidget(container, {
    baseLayer: false,
    globe,
    skyBox: false,
    skyAtmosphere: false,
    scene3DOnly: true,
    // The ground has exact shadows of its own (solids.ts).
    terrainShadows: ShadowMode.DISABLED,
    requestRenderMode: true,
    maximumRenderTimeChange: Number.POSITIVE_INFINITY,
    orderIndependentTranslucency: false,
    msaaSamples: lite ? 1 : 4,
    useBrowserRecommendedResolution: lite,
    creditContainer: document.createElement("div"),
    contextOptions: { webgl: { alpha: true, stencil: true, antialias: !lite, powerPreference: "high-performance" } },
  });
  widget.canvas.style.imageRendering = "auto";
  widget.canvas.tabIndex = 0;
  const { scene } = widget;
  scene.backgroundColor = Color.TRANSPARENT;
  scene.fog.enabled = false;
  scene.highDynamicRange = false;
  scene.postProcessStages.fxaa.enabled = false;
  scene.light = new DirectionalLight({ direction: new Cartesian3(0, 0, -1) });
  globe.baseColor = Color.fromCssColorString("#e3e2dd");
  globe.showGroundAtmosphere = false;
  globe.enableLighting = false;
  globe.showWaterEffect = false;
  globe.depthTestAgainstTerrain = false;
  globe.preloadAncestors = false;
  globe.maximumScreenSpaceError = lite ? 3 : 1.6;
  globe.tileCacheSize = 200;
  // Flat tiles cost next to nothing: where a frame is slow, many are made in each.
  (globe as unknown as { _surface: { _loadQueueTimeSlice: number } })._surface._loadQueueTimeSlice = lite ? 120 : 12;
  const control = scene.screenSpaceCameraController;
  control.minimumZoomDistance = 15;
  control.maximumZoomDistance = 60_000;
  control.inertiaZoom = 0.7;
  return widget;
}
