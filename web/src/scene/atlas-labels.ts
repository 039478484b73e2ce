/** Names of the towns over the picture, as text of the page: sharp at any size, and in the page's own font. */

/** A map narrower than this (CSS pixels) has room for one name a town only. */
export const NARROW = 520;

export interface Label {
  id: string;
  ko: string;
  en: string;
  value: string;
  x: number;
  y: number;
  /** Larger stands first when two want the same place. */
  weight: number;
  strong: boolean;
  light: boolean;
  /** Its words would run over another town: it gets a ground of its own. */
  over: boolean;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Ways off its own place that a label may take, in its own size; the first that is free. */
const WAYS: [number, number][] = [
  [0, 0], [0.95, -0.35], [-0.95, -0.35], [0.95, 0.55], [-0.95, 0.55], [0, -1.15], [0, 1.15],
  [1.3, -1.1], [-1.3, -1.1], [1.3, 1.2], [-1.3, 1.2], [1.6, 0], [-1.6, 0],
]; // prettier-ignore

const meet = (a: Box, b: Box): boolean => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Middle of each label's box, or null where there is no room. Greedy, the heaviest first. Pure. */
export function place(
  labels: readonly { x: number; y: number; width: number; height: number; weight: number }[],
  frame: { width: number; height: number },
): ([number, number] | null)[] {
  const order = labels.map((_, i) => i).sort((a, b) => labels[b]!.weight - labels[a]!.weight);
  const taken: Box[] = [];
  const found: ([number, number] | null)[] = labels.map(() => null);
  for (const i of order) {
    const l = labels[i]!;
    for (const [dx, dy] of WAYS) {
      const [x, y] = [l.x + dx * l.width, l.y + dy * l.height];
      const box: Box = { x: x - l.width / 2, y: y - l.height / 2, width: l.width, height: l.height };
      if (box.x < 4 || box.y < 4 || box.x + box.width > frame.width - 4 || box.y + box.height > frame.height - 4) continue;
      if (taken.some((t) => meet(box, t))) continue;
      taken.push(box);
      found[i] = [x, y];
      break;
    }
  }
  return found;
}

export class Labels {
  private readonly root: HTMLElement;
  private readonly lines: SVGSVGElement;
  private readonly nodes = new Map<string, HTMLElement>();

  constructor(container: HTMLElement) {
    this.root = document.createElement("div");
    this.root.className = "atlas-labels";
    this.root.setAttribute("aria-hidden", "true");
    this.lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.root.append(this.lines);
    container.append(this.root);
  }

  draw(labels: readonly Label[]): void {
    const frame = { width: this.root.clientWidth, height: this.root.clientHeight };
    const narrow = frame.width < NARROW;
    const sizes = labels.map((label) => {
      const node = this.node(label.id);
      const text = `${label.ko}\n${label.en}\n${label.value}\n${narrow && !label.strong}`;
      // On a small map a name is enough; the town pointed at says the rest.
      node.classList.toggle("brief", narrow && !label.strong);
      if (node.dataset.text !== text) {
        node.dataset.text = text;
        node.replaceChildren(...[label.ko, label.en, label.value].map((line, i) => {
          const span = document.createElement("span");
          span.className = ["ko", "en", "value"][i]!;
          span.textContent = line;
          return span;
        })); // prettier-ignore
        node.dataset.width = String(node.offsetWidth);
        node.dataset.height = String(node.offsetHeight);
      }
      return { ...label, width: Number(node.dataset.width), height: Number(node.dataset.height) };
    });
    const places = place(sizes, frame);
    const leaders: string[] = [];
    sizes.forEach((label, i) => {
      const node = this.node(label.id);
      const at = places[i];
      node.hidden = !at;
      if (!at) return;
      const away = Math.hypot(at[0] - label.x, at[1] - label.y) > 3;
      node.classList.toggle("strong", label.strong);
      node.classList.toggle("light", label.light && !away && !label.over);
      node.classList.toggle("away", away || label.over);
      node.style.transform = `translate(${Math.round(at[0] - label.width / 2)}px, ${Math.round(at[1] - label.height / 2)}px)`;
      if (!away) return;
      // From the place to the near side of the box.
      const dx = Math.max(-label.width / 2 + 2, Math.min(label.width / 2 - 2, label.x - at[0]));
      const dy = Math.max(-label.height / 2 + 2, Math.min(label.height / 2 - 2, label.y - at[1]));
      leaders.push(`M${label.x.toFixed(1)} ${label.y.toFixed(1)}L${(at[0] + dx).toFixed(1)} ${(at[1] + dy).toFixed(1)}`);
    });
    this.lines.innerHTML = `<path d="${leaders.join("")}"/>${leaders.map((d) => {
      const [x, y] = d.slice(1).split("L")[0]!.split(" ");
      return `<circle cx="${x}" cy="${y}" r="1.8"/>`;
    }).join("")}`; // prettier-ignore
  }

  private node(id: string): HTMLElement {
    let node = this.nodes.get(id);
    if (!node) {
      node = document.createElement("div");
      node.className = "atlas-label";
      this.root.append(node);
      this.nodes.set(id, node);
    }
    return node;
  }

  destroy(): void {
    this.root.remove();
  }
}
