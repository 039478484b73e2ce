import { Cartesian3, Color, Material, PolylineCollection, PointPrimitiveCollection, type Scene } from "@cesium/engine";
import { watchEffect } from "vue";
import type { Degrees } from "../state/exchange";
import type { State } from "../state/store";
import type { Stage } from "./city";
import { placeOf, type Place } from "./place";
import { createTags, type Tag } from "./plan/tags";
import { createVolumes, type Volumes } from "./plan/volumes";

/** Theirs is violet: no other thing of the picture is. */
const VIOLET = Color.fromCssColorString("#5d3a9b");

/** The plane that a partner's outlines are written in, on a ground of this height. */
export function placeOfPlane(crs: string, ground_m: number, box: Degrees): Place {
  const found = placeOf({ frame: { crs }, ground: { ellipsoidal_m: ground_m }, bounds: { xmin: 0, ymin: 0, xmax: 0, ymax: 0 } } as never);
  const [x, y] = found.frame.fromLonLat((box[0] + box[2]) / 2, (box[1] + box[3]) / 2);
  return placeOf({ frame: { crs }, ground: { ellipsoidal_m: ground_m }, bounds: { xmin: x, ymin: y, xmax: x, ymax: y } } as never);
}

/**
 * What partners let us see, drawn as theirs: violet walls, a violet line around what the agreement covers, and the city's name on a badge.
 * Lives until `destroy`; follows the state.
 */
export function createTheirs(scene: Scene, stage: Pick<Stage, "sun" | "place">, state: State): { destroy(): void } {
  const ground = stage.place.ground;
  const outline = new PolylineCollection();
  const lines = new PolylineCollection();
  const points = new PointPrimitiveCollection();
  scene.primitives.add(outline);
  scene.primitives.add(lines);
  scene.primitives.add(points);
  const tags = createTags(scene, () => undefined);
  let volumes: { crs: string; drawn: Volumes }[] = [];
  const clear = () => {
    // What is taken off the scene is destroyed with it.
    for (const one of volumes) scene.primitives.remove(one.drawn as never);
    volumes = [];
  };
  const stop = watchEffect(() => {
    const { theirs, away } = state.exchange;
    const lang = state.looks.lang;
    clear();
    outline.removeAll();
    lines.removeAll();
    points.removeAll();
    const badges: Tag[] = [];
    if (away) {
      const [w, s, e, n] = away.box;
      const height = ground + 0.4;
      const corners = [[w, s], [e, s], [e, n], [w, n], [w, s]] as const;
      outline.add({
        positions: corners.map(([lon, lat]) => Cartesian3.fromDegrees(lon, lat, height)), width: 3,
        material: Material.fromType("PolylineDash", { color: VIOLET.withAlpha(0.95), dashLength: 18 }),
      });
      badges.push({ key: "box", at: Cartesian3.fromDegrees((w + e) / 2, n, height), text: away.whose[lang], look: "theirs" });
    }
    for (const one of theirs) {
      if (one.solids.length && away) {
        const place = placeOfPlane(one.crs, ground, away.box);
        const drawn = createVolumes(scene, { place, sun: stage.sun } as Stage);
        drawn.set(one.solids, () => "theirs");
        scene.primitives.add(drawn);
        volumes.push({ crs: one.crs, drawn });
        // A few outlines have their names; of many the box's badge speaks.
        if (one.solids.length <= 12)
          for (const solid of one.solids) {
            const ring = solid.parts[0]!.outline;
            const [x, y] = ring.reduce((a, p) => [a[0] + p[0] / ring.length, a[1] + p[1] / ring.length] as const, [0, 0] as const);
            badges.push({ key: `${one.key}/${solid.id}`, at: place.at(x, y, Math.max(...solid.parts.map((p) => p.top_m))), text: solid.name ? `${one.whose[lang]} · ${solid.name}` : one.whose[lang], look: "theirs", lift: 16 });
          }
      }
      for (const way of one.lines)
        lines.add({ positions: way.map(([lon, lat]) => Cartesian3.fromDegrees(lon, lat, ground + 0.6)), width: 2.5, material: Material.fromType("Color", { color: VIOLET }) });
      // Few points are pins, many are measurements: small, and hidden by what stands before them.
      const many = one.points.length > 300;
      for (const { lon, lat, z, colour } of one.points)
        points.add({
          position: Cartesian3.fromDegrees(lon, lat, ground + Math.max(1, z)), pixelSize: many ? 4 : 9,
          color: colour ? Color.fromBytes(...colour) : VIOLET, outlineColor: Color.WHITE, outlineWidth: many ? 0 : 2,
          disableDepthTestDistance: many ? 0 : Number.POSITIVE_INFINITY,
        });
    }
    tags.set(badges);
    scene.requestRender();
  });
  return {
    destroy() {
      stop();
      clear();
      tags.destroy();
      scene.primitives.remove(outline);
      scene.primitives.remove(lines);
      scene.primitives.remove(points);
      scene.requestRender();
    },
  };
}
