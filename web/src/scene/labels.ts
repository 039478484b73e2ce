import { Cartesian2, Cartesian3, SceneTransforms, type Scene } from "@cesium/engine";
import "./labels.css";
import type { Names } from "../api/types";

// Labels are text of the browser laid over the canvas: sharp at any drawing size, with its Hangul and its kerning.

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

interface Made { label: Label; element: HTMLElement; width: number; height: number; shown: boolean; x: number; y: number }

export function createLabels(scene: Scene): Labels {
  const sheet = document.createElement("div");
  sheet.className = "labels";
  sheet.setAttribute("aria-hidden", "true"); // search reaches every name
  scene.canvas.parentElement!.append(sheet);
  let lang: "ko" | "en" = "ko";
  let labels: Label[] = [];
  let made: Made[] = [];

  const measure = document.createElement("canvas").getContext("2d")!;
  const rebuild = () => {
    sheet.replaceChildren();
    measure.font = `600 13px Pretendard, "Noto Sans CJK KR", sans-serif`;
    made = [...labels]
      .sort((a, b) => a.rank - b.rank)
      .flatMap((label) => {
        const text = label.names[lang] || label.names.ko || label.names.en;
        if (!text) return [];
        const element = document.createElement("span");
        element.className = `label ${label.look}`;
        element.textContent = text;
        element.hidden = true;
        sheet.append(element);
        return [{ label, element, width: measure.measureText(text).width + 4, height: 20, shown: false, x: 0, y: 0 }];
      });
    api.arrange();
  };
  const where = (m: Made) => SceneTransforms.worldToWindowCoordinates(scene, m.label.position, new Cartesian2());
  const put = (m: Made, at: Cartesian2) => {
    m.x = at.x;
    m.y = at.y;
    m.element.style.transform = `translate(${at.x.toFixed(1)}px, ${at.y.toFixed(1)}px) translate(-50%, -100%)`;
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
      for (const m of made) {
        let show = false;
        const at = Cartesian3.distance(eye, m.label.position) < m.label.reach ? where(m) : undefined;
        if (at && at.x > -40 && at.y > 70 && at.x < clientWidth + 40 && at.y < clientHeight + 20) {
          const box: [number, number, number, number] = [at.x - m.width / 2 - 8, at.y - m.height - 6, at.x + m.width / 2 + 8, at.y + 4];
          show = !taken.some((t) => t[0] < box[2] && t[2] > box[0] && t[1] < box[3] && t[3] > box[1]);
          if (show) {
            taken.push(box);
            put(m, at);
          }
        }
        if (m.shown !== show) {
          m.shown = show;
          m.element.hidden = !show;
        }
      }
    },
    at(screen) {
      return made.find((m) => m.shown && Math.abs(screen.x - m.x) < m.width / 2 && screen.y < m.y + 6 && screen.y > m.y - m.height)?.label ?? null;
    },
    destroy() {
      off();
      sheet.remove();
    },
  };
  const off = scene.postRender.addEventListener(() => {
    for (const m of made) {
      if (!m.shown) continue;
      const at = where(m);
      if (at && (at.x !== m.x || at.y !== m.y)) put(m, at);
    }
  });
  return api;
}
