// Every command by name: where to go, what to do with the case on the page, what to look for. Ctrl-K.
const palette = document.getElementById("lx-palette");
if (palette) {
  const input = palette.querySelector("input");
  const list = palette.querySelector("ul");
  let active = 0;
  let found = [];

  const nameOf = (element) => {
    const copy = element.cloneNode(true);
    for (const key of copy.querySelectorAll("kbd")) key.remove();
    return copy.textContent.trim().replace(/\s+/g, " ");
  };
  function commands(text) {
    const low = text.toLowerCase();
    // What can be done here comes before where one can go.
    const elements = [...document.querySelectorAll("main [data-command]"), ...document.querySelectorAll("header [data-command]")];
    const items = elements
      .map((element) => ({ name: nameOf(element), key: element.dataset.key ?? "", run: () => element.click() }))
      .filter((item) => item.name.toLowerCase().includes(low));
    if (text) {
      const look = { name: palette.dataset.findText.replace("%s", text), key: "", run: () => location.assign(`${palette.dataset.find}?q=${encodeURIComponent(text)}`) };
      if (/^[\d-]+$/.test(text)) items.unshift(look); else items.push(look);
    }
    return items;
  }
  function draw() {
    found = commands(input.value.trim());
    active = Math.min(active, Math.max(found.length - 1, 0));
    list.replaceChildren(...found.map((item, index) => {
      const line = document.createElement("li");
      line.id = `lx-command-${index}`;
      line.setAttribute("role", "option");
      line.setAttribute("aria-selected", String(index === active));
      line.append(item.name);
      if (item.key) line.append(Object.assign(document.createElement("kbd"), { textContent: item.key }));
      line.addEventListener("click", () => run(index));
      return line;
    }));
    if (found.length) input.setAttribute("aria-activedescendant", `lx-command-${active}`); else input.removeAttribute("aria-activedescendant");
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }
  function run(index) {
    const item = found[index];
    if (!item) return;
    palette.close();
    item.run();
  }
  input.addEventListener("input", () => { active = 0; draw(); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      active = (active + (event.key === "ArrowDown" ? 1 : found.length - 1)) % Math.max(found.length, 1);
      draw();
    } else if (event.key === "Enter") { event.preventDefault(); run(active); }
  });
  // Opened by its button or key, it starts from nothing.
  new MutationObserver(() => {
    if (!palette.open) return;
    input.value = "";
    active = 0;
    draw();
    input.focus();
  }).observe(palette, { attributes: true, attributeFilter: ["open"] });
}
