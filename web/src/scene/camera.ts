import { Cartesian3, Cartographic, HeadingPitchRange, Math as M, BoundingSphere, type CesiumWidget } from "@cesium/engine";
import { watch } from "vue";
import type { Camera, State } from "../state/store";
import type { Twin } from "../api/types";

/** Puts the camera where the link or the twin's home says. */
export function goHome(widget: CesiumWidget, twin: Twin, wanted: Camera | null): void {
  const { camera } = widget.scene;
  if (wanted) {
    camera.setView({
      destination: Cartesian3.fromDegrees(wanted.lon, wanted.lat, wanted.height),
      orientation: { heading: M.toRadians(wanted.heading), pitch: M.toRadians(wanted.pitch), roll: 0 },
    });
    return;
  }
  const { home } = twin;
  const narrow = widget.canvas.clientWidth < widget.canvas.clientHeight ? 1.5 : 1;
  const target = Cartesian3.fromDegrees(home.lon, home.lat, home.height_m);
  camera.flyToBoundingSphere(new BoundingSphere(target, 1), {
    duration: 0,
    offset: new HeadingPitchRange(M.toRadians(home.heading_deg), M.toRadians(home.pitch_deg), home.range_m * narrow),
  });
}

/** Tells the state where the camera rests, and flies where the page asks. */
export function followCamera(widget: CesiumWidget, state: State, twin: Twin): () => void {
  const { scene } = widget;
  const tell = () => {
    const c = Cartographic.fromCartesian(scene.camera.positionWC);
    state.place.camera = {
      lon: M.toDegrees(c.longitude),
      lat: M.toDegrees(c.latitude),
      height: c.height,
      heading: M.toDegrees(scene.camera.heading) % 360,
      pitch: M.toDegrees(scene.camera.pitch),
    };
  };
  const off = scene.camera.moveEnd.addEventListener(tell);
  const stop = watch(
    () => state.place.flight,
    (flight) => {
      if (!flight) return;
      const target = Cartesian3.fromDegrees(flight.lon, flight.lat, twin.ground.ellipsoidal_m + flight.height_m / 2);
      scene.camera.flyToBoundingSphere(new BoundingSphere(target, 1), {
        duration: state.looks.reducedMotion || state.looks.lite ? 0 : 1.4,
        offset: new HeadingPitchRange(scene.camera.heading, M.toRadians(-32), flight.range_m),
      });
      scene.requestRender();
    },
  );
  return () => {
    off();
    stop();
  };
}

