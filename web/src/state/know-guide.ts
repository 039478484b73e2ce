// A guide as it is written (a small part of Markdown), read into pieces that the page sets itself: nothing of it is ever taken as HTML.

export interface Piece { text: string; look: "" | "bold" | "em" | "code" }
export interface Block { kind: "heading" | "text" | "list" | "steps"; lines: Piece[][] }

/** Words, **strong**, *stressed*, and `code`. */
export function piecesOf(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const hit of text.matchAll(/\*\*(.+?)\*\*|\*([^*\s][^*]*?)\*|`([^`]+)`/g)) {
    if (hit.index > from) found.push({ text: text.slice(from, hit.index), look: "" });
    found.push({ text: (hit[1] ?? hit[2] ?? hit[3])!, look: hit[1] ? "bold" : hit[2] ? "em" : "code" });
    from = hit.index + hit[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from), look: "" });
  return found;
}

/** Headings, paragraphs, lists and numbered steps; a first heading is the title of the page, and left out. */
export function blocksOf(markdown: string): Block[] {
  const found: { kind: Block["kind"]; lines: string[] }[] = [];
  let open: (typeof found)[number] | null = null;
  markdown.split(/\r?\n/).forEach((raw) => {
    const line = raw.trim();
    const heading = /^#+\s+(.*)$/.exec(line)?.[1];
    const item = /^(?:[-*]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (!line) open = null;
    else if (heading !== undefined) {
      if (found.length || !line.startsWith("# ")) found.push({ kind: "heading", lines: [heading] });
      open = null;
    } else if (item) {
      const kind = item[1] ? "steps" : "list";
      if (open?.kind !== kind) found.push((open = { kind, lines: [] }));
      open.lines.push(item[2]!);
    } else if (open) open.lines[open.lines.length - 1] += ` ${line}`;
    else found.push((open = { kind: "text", lines: [line] }));
  });
  return found.map((b) => ({ kind: b.kind, lines: b.lines.map(piecesOf) }));
}
