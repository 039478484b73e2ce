import { Cartesian2, SceneTransforms, type Cartesian3, type Scene } from "@cesium/engine";
import "./tags.css";

export type TagLook = "length" | "area" | "hand" | "trouble" | "pin" | "person" | "theirs" | "stand" | "rank";
export interface Tag { key: string; at: Cartesian3; text: string; look: TagLook; /** Pixels above the place. */ lift?: number }

export interface Tags {
  /** Shows exactly these. */
  set(tags: Tag[]): void;
  destroy(): void;
}

/** Numbers that stand beside the hand: text of the browser, laid over the picture and kept at its place. */
export function createTags(scene: Scene, press: (key: string) => void): Tags {
  const sheet = document.createElement("div");
  sheet.className = "tags";
  scene.canvas.parentElement!.append(sheet);
  let made: { tag: Tag; element: HTMLElement }[] = [];
  const put = (one: { tag: Tag; element: HTMLElement }) => {
    const at = SceneTransforms.worldToWindowCoordinates(scene, one.tag.at, new Cartesian2());
    const { clientWidth, clientHeight } = scene.canvas;
    const seen = !!at && at.x > 0 && at.y > 0 && at.x < clientWidth && at.y < clientHeight;
    one.element.hidden = !seen;
    if (seen) one.element.style.transform = `translate(${at.x.toFixed(1)}px, ${(at.y - (one.tag.lift ?? 0)).toFixed(1)}px) translate(-50%, -50%)`;
  };
  const off = scene.postRender.addEventListener(() => made.forEach(put));
  return {
    set(tags) {
      const had = new Map(made.map((one) => [one.tag.key, one]));
      made = tags.map((tag) => {
        const old = had.get(tag.key);
        had.delete(tag.key);
        const pin = tag.look === "pin";
        const element = old?.element ?? document.createElement(pin ? "button" : "span");
        if (!old) {
          if (pin) {
            (element as HTMLButtonElement).type = "button";
            element.addEventListener("click", () => press(tag.key));
          } else element.setAttribute("aria-hidden", "true"); // the column says it as well
          sheet.append(element);
        }
        element.className = `tag ${tag.look}`;
        if (element.textContent !== tag.text) element.textContent = tag.text;
        const one = { tag, element };
        put(one);
        return one;
      });
      for (const { element } of had.values()) element.remove();
    },
    destroy() {
      off();
      sheet.remove();
    },
  };
}
