import { BillboardCollection, Cartesian2, Cartesian3, HorizontalOrigin, SceneTransforms, VerticalOrigin, type Billboard, type Scene } from "@cesium/engine";
import type { Names } from "../api/types";

// Text is drawn by the browser on small canvases (its kerning, its Hangul), then stands in the scene as a picture each.

export interface Label {
  id: string;
  layer: string;
  names: Names;
  position: Cartesian3;
  /** Smaller is more important. */
  rank: number;
  look: "place" | "station" | "building" | "area" | "edge";
  /** Farthest distance it is shown at, metres. */
  reach: number;
}

export interface Labels {
  set(labels: Label[]): void;
  language(lang: "ko" | "en"): void;
  /** Chooses which labels have room; call when the camera rests or now and then while it moves. */
  arrange(): void;
  /** The label under a screen point. */
  at(screen: Cartesian2): Label | null;
  destroy(): void;
}

const LOOKS: Record<Label["look"], { size: number; weight: number; ink: string; halo: string; dot?: string }> = {
  area: { size: 13, weight: 600, ink: "#5b6670", halo: "rgba(255,255,255,.9)" },
  place: { size: 12.5, weight: 400, ink: "#39434b", halo: "rgba(255,255,255,.92)", dot: "#7c8790" },
  station: { size: 12.5, weight: 600, ink: "#1e5a78", halo: "rgba(255,255,255,.95)", dot: "#1e5a78" },
  building: { size: 13, weight: 600, ink: "#1c2329", halo: "rgba(255,255,255,.94)" },
  edge: { size: 12.5, weight: 600, ink: "#8a5a12", halo: "rgba(255,255,255,.95)" },
};
const DOTS = 3;

function picture(text: string, look: Label["look"]): { canvas: HTMLCanvasElement; width: number; height: number } {
  const { size, weight, ink, halo, dot } = LOOKS[look];
  const scale = Math.max(2, Math.ceil(window.devicePixelRatio));
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d")!;
  const font = `${weight} ${size}px Pretendard, "Noto Sans KR", "Noto Sans CJK KR", sans-serif`;
  pen.font = font;
  const width = Math.ceil(pen.measureText(text).width) + 10;
  const height = Math.ceil(size * 1.5) + 4 + (dot ? 7 : 0);
  canvas.width = width * scale;
  canvas.height = height * scale;
  pen.scale(scale, scale);
  pen.font = font;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  pen.lineJoin = "round";
  pen.lineWidth = 3.6;
  pen.strokeStyle = halo;
  const y = (height - (dot ? 7 : 0)) / 2;
  pen.strokeText(text, width / 2, y);
  pen.fillStyle = ink;
  pen.fillText(text, width / 2, y);
  if (dot) {
    pen.beginPath();
    pen.arc(width / 2, height - 4.5, DOTS, 0, 7);
    pen.fillStyle = dot;
    pen.fill();
    pen.lineWidth = 1.4;
    pen.strokeStyle = "#fff";
    pen.stroke();
  }
  return { canvas, width, height };
}

export function createLabels(scene: Scene): Labels {
  let lang: "ko" | "en" = "ko";
  let labels: Label[] = [];
  let collection = new BillboardCollection({ scene });
  let made: { label: Label; billboard: Billboard; width: number; height: number }[] = [];
  scene.primitives.add(collection);

  const rebuild = () => {
    scene.primitives.remove(collection);
    collection = new BillboardCollection({ scene });
    scene.primitives.add(collection);
    made = [...labels]
      .sort((a, b) => a.rank - b.rank)
      .flatMap((label) => {
        const text = label.names[lang] || label.names.ko || label.names.en;
        if (!text) return [];
        const { canvas, width, height } = picture(text, label.look);
        const billboard = collection.add({
          position: label.position,
          width,
          height,
          horizontalOrigin: HorizontalOrigin.CENTER,
          verticalOrigin: VerticalOrigin.BOTTOM,
          disableDepthTestDistance: Number.POSITIVE_INFINITY,
          show: false,
        });
        billboard.setImage(`${lang}/${label.layer}/${label.id}`, canvas);
        return [{ label, billboard, width, height }];
      });
    api.arrange();
  };

  const api: Labels = {
    set(list) {
      labels = list;
      rebuild();
    },
    language(next) {
      if (next === lang) return;
      lang = next;
      rebuild();
    },
    arrange() {
      const taken: [number, number, number, number][] = [];
      const eye = scene.camera.positionWC;
      const { clientWidth, clientHeight } = scene.canvas;
      let changed = false;
      for (const m of made) {
        let show = false;
        const distance = Cartesian3.distance(eye, m.label.position);
        const at = distance < m.label.reach ? SceneTransforms.worldToWindowCoordinates(scene, m.label.position, new Cartesian2()) : undefined;
        if (at && at.x > -40 && at.y > 0 && at.x < clientWidth + 40 && at.y < clientHeight + 20) {
          const box: [number, number, number, number] = [at.x - m.width / 2 - 6, at.y - m.height - 4, at.x + m.width / 2 + 6, at.y + 4];
          show = !taken.some((t) => t[0] < box[2] && t[2] > box[0] && t[1] < box[3] && t[3] > box[1]);
          if (show) taken.push(box);
        }
        if (m.billboard.show !== show) {
          m.billboard.show = show;
          changed = true;
        }
      }
      if (changed) scene.requestRender();
    },
    at(screen) {
      for (const m of made) {
        if (!m.billboard.show) continue;
        const p = SceneTransforms.worldToWindowCoordinates(scene, m.label.position, new Cartesian2());
        if (p && Math.abs(screen.x - p.x) < m.width / 2 && screen.y < p.y + 6 && screen.y > p.y - m.height) return m.label;
      }
      return null;
    },
    destroy() {
      scene.primitives.remove(collection);
    },
  };
  return api;
}
