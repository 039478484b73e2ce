import { Cartesian3, Cartographic, Matrix4, Matrix3, Transforms, Plane, IntersectionTests, Math as M, type Scene, type Cartesian2 } from "@cesium/engine";
import type { Twin } from "../api/types";
import { planeFrame, type PlaneFrame } from "../state/frame";

/** Where the twin stands on the globe: its ground, its middle, and the way from its frame to the earth's. */
export interface Place {
  frame: PlaneFrame;
  /** Ellipsoidal height of the ground, metres. */
  ground: number;
  /** East, north, up about the middle of the bounds on the ground. */
  enu: Matrix4;
  fromEnu: Matrix4;
  up: Cartesian3;
  middle: Cartesian3;
  middleXY: [number, number];
  /** Earth-fixed position of metres in the twin's frame, z above the ground. */
  at(x: number, y: number, z: number): Cartesian3;
  /** Matrix from local frame axes (x, y grid metres about a point, z up) to the earth's. */
  local(x: number, y: number): Matrix4;
}

export function placeOf(twin: Twin): Place {
  const frame = planeFrame(twin.frame.crs);
  const ground = twin.ground.ellipsoidal_m;
  const at = (x: number, y: number, z: number) => {
    const [lon, lat] = frame.toLonLat(x, y);
    return Cartesian3.fromDegrees(lon, lat, ground + z);
  };
  const b = twin.bounds;
  const middleXY: [number, number] = [(b.xmin + b.xmax) / 2, (b.ymin + b.ymax) / 2];
  const middle = at(...middleXY, 0);
  const enu = Transforms.eastNorthUpToFixedFrame(middle);
  const up = Matrix4.multiplyByPointAsVector(enu, Cartesian3.UNIT_Z, new Cartesian3());
  return {
    frame,
    ground,
    enu,
    fromEnu: Matrix4.inverseTransformation(enu, new Matrix4()),
    up,
    middle,
    middleXY,
    at,
    local: (x, y) => {
      // Grid axes are turned clockwise from east and north by the convergence.
      const turn = Matrix3.fromRotationZ(-M.toRadians(frame.convergence(x, y)));
      return Matrix4.multiplyByMatrix3(Transforms.eastNorthUpToFixedFrame(at(x, y, 0)), turn, new Matrix4());
    },
  };
}

/** Where a screen point meets the ground, degrees; null above the horizon. */
export function groundUnder(scene: Scene, place: Place, screen: Cartesian2): { lon: number; lat: number; position: Cartesian3 } | null {
  const ray = scene.camera.getPickRay(screen);
  if (!ray) return null;
  const plane = Plane.fromPointNormal(place.middle, place.up);
  const position = IntersectionTests.rayPlane(ray, plane);
  if (!position) return null;
  const c = Cartographic.fromCartesian(position);
  return { lon: M.toDegrees(c.longitude), lat: M.toDegrees(c.latitude), position };
}
