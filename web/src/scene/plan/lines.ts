import { BillboardCollection, type Billboard, Cartesian2, Cartesian3, Color, Material, PolylineCollection, SceneTransforms, VerticalOrigin, type Scene } from "@cesium/engine";

export type LineLook = "draft" | "band" | "trouble" | "ring" | "ghost" | "taken";
const COLOURS: Record<LineLook, [string, number, number, boolean]> = {
  draft: ["#b86a00", 1, 3, false],
  band: ["#b86a00", 0.9, 2, true],
  trouble: ["#b8420b", 1, 3, false],
  ring: ["#1e3a4c", 0.7, 2, false],
  ghost: ["#4c565f", 0.75, 1.5, true],
  taken: ["#b8420b", 0.9, 2, true],
};

export type DotLook = "corner" | "first" | "turn" | "trouble";
function dot(look: DotLook): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const side = look === "turn" ? 40 : look === "first" ? 26 : 18;
  canvas.width = canvas.height = side * 2;
  const pen = canvas.getContext("2d")!;
  pen.scale(2, 2);
  const c = side / 2;
  pen.beginPath();
  pen.arc(c, c, c - 3, 0, 7);
  pen.shadowColor = "rgba(28,35,41,.35)";
  pen.shadowBlur = 4;
  pen.fillStyle = look === "turn" ? "#1e3a4c" : look === "trouble" ? "#b8420b" : "#fff";
  pen.fill();
  pen.shadowColor = "transparent";
  pen.lineWidth = look === "turn" ? 2 : 3;
  pen.strokeStyle = look === "turn" || look === "trouble" ? "#fff" : "#b86a00";
  pen.stroke();
  if (look === "turn") {
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2;
    pen.lineCap = "round";
    pen.beginPath();
    pen.arc(c, c, 7.5, -2.4, 1.4);
    pen.stroke();
    const [x, y] = [c + 7.5 * Math.cos(1.4), c + 7.5 * Math.sin(1.4)];
    pen.beginPath();
    pen.moveTo(x + 4.4, y - 2.6);
    pen.lineTo(x, y);
    pen.lineTo(x + 2, y - 5.6);
    pen.stroke();
  }
  return canvas;
}

export interface Lines {
  /** Draws exactly these lines and dots. */
  set(lines: { look: LineLook; positions: Cartesian3[] }[], dots: { key: string; look: DotLook; at: Cartesian3 }[]): void;
  /** The dot under a screen point. */
  at(screen: Cartesian2, reach: number): string | null;
  destroy(): void;
}

/** What is drawn on the ground while a hand works. */
export function createLines(scene: Scene): Lines {
  const lines = new PolylineCollection();
  const dots = new BillboardCollection({ scene });
  scene.primitives.add(lines);
  scene.primitives.add(dots);
  let now: { key: string; billboard: Billboard }[] = [];
  const images = new Map<DotLook, HTMLCanvasElement>();
  return {
    set(wanted, points) {
      lines.removeAll();
      for (const { look, positions } of wanted) {
        if (positions.length < 2) continue;
        const [colour, alpha, width, dashed] = COLOURS[look];
        const color = Color.fromCssColorString(colour).withAlpha(alpha);
        lines.add({ positions, width, material: dashed ? Material.fromType("PolylineDash", { color, dashLength: 10 }) : Material.fromType("Color", { color }) });
      }
      dots.removeAll();
      now = points.map(({ key, look, at }) => {
        const side = look === "turn" ? 40 : look === "first" ? 26 : 18;
        const billboard = dots.add({ position: at, width: side, height: side, verticalOrigin: VerticalOrigin.CENTER, disableDepthTestDistance: Number.POSITIVE_INFINITY });
        let image = images.get(look);
        if (!image) images.set(look, (image = dot(look)));
        billboard.setImage(`plan-${look}`, image);
        return { key, billboard };
      });
    },
    at(screen, reach) {
      let best: string | null = null;
      let nearest = reach;
      for (const { key, billboard } of now) {
        const p = SceneTransforms.worldToWindowCoordinates(scene, billboard.position, new Cartesian2());
        const d = p ? Math.hypot(p.x - screen.x, p.y - screen.y) : reach;
        if (d < nearest) {
          nearest = d;
          best = key;
        }
      }
      return best;
    },
    destroy() {
      scene.primitives.remove(lines);
      scene.primitives.remove(dots);
    },
  };
}
