// What the pages do by themselves: copy buttons, and forms that leave out what was left empty. All else is links.
"use strict";

for (const block of document.querySelectorAll(".code")) {
  const button = block.querySelector(".copy");
  if (!button) continue;
  button.hidden = false;
  const said = button.textContent;
  button.addEventListener("click", async () => {
    const text = block.querySelector("pre").textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // without https there is no clipboard to write to: mark the text, so that Ctrl+C takes it
      const range = document.createRange();
      range.selectNodeContents(block.querySelector("pre"));
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      document.execCommand("copy");
    }
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = said), 1600);
  });
}

for (const form of document.querySelectorAll("form.ask")) {
  form.addEventListener("submit", () => {
    // one condition of the small form becomes CQL2 text: column, operator and value
    const column = form.querySelector("[data-column]");
    const filter = form.querySelector("[name=filter]");
    const value = form.querySelector("[data-value]");
    if (column && filter && column.value && value.value) {
      const operator = form.querySelector("[data-operator]").value;
      const type = column.selectedOptions[0].dataset.type;
      const quote = (text) => `'${text.replaceAll("'", "''")}'`;
      const plain = type === "number" || type === "integer" || type === "boolean";
      const literal = operator === "LIKE" ? quote(`%${value.value}%`) : plain ? value.value : type === "datetime" ? `TIMESTAMP(${quote(value.value)})` : quote(value.value);
      const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(column.value) ? column.value : `"${column.value}"`;
      const condition = `${name} ${operator} ${literal}`;
      filter.value = filter.value.trim() ? `(${filter.value.trim()}) AND ${condition}` : condition;
    }
    const empty = [...form.elements].filter((one) => one.name && !one.value);
    for (const one of empty) one.disabled = true;
    setTimeout(() => empty.forEach((one) => (one.disabled = false)));
  });
}

// the legend of a grid: the colours of its default style, before the link to all of them
for (const place of document.querySelectorAll("[data-legend]")) {
  (async () => {
    const ask = async (address) => (await fetch(address, { headers: { Accept: "application/json" } })).json();
    const all = await ask(place.dataset.legend);
    const { legend } = await ask(`${place.dataset.legend}/${encodeURIComponent(all.default)}`);
    const keys = legend.entries.map((one) => {
      const key = document.createElement("span");
      const colour = document.createElement("i");
      key.className = "key";
      colour.style.background = one.colour;
      key.append(colour, typeof one.value === "number" ? one.value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }) : String(one.label ?? ""));
      return key;
    });
    place.prepend(...keys);
  })().catch(() => undefined); // the link says where the legend is
}
