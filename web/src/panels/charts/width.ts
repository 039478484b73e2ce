/** The width a drawing has, in CSS pixels, so that its words keep their size on narrow pages. */

import { onBeforeUnmount, onMounted, ref, type Ref } from "vue";

export function useWidth(element: Ref<Element | undefined>, first = 560): Ref<number> {
  const width = ref(first);
  let watcher: ResizeObserver | null = null;
  onMounted(() => {
    watcher = new ResizeObserver(([entry]) => {
      const w = Math.round(entry?.contentRect.width ?? 0);
      if (w > 0) width.value = w;
    });
    if (element.value) watcher.observe(element.value);
  });
  onBeforeUnmount(() => watcher?.disconnect());
  return width;
}
