// The knowledge base by keyboard: down leaves the question for the answers, j and k move among them, up goes back.
const results = () => [...document.querySelectorAll("[data-result]")];
const ask = document.querySelector("[data-ask]");

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const all = results();
  const at = all.indexOf(document.activeElement);
  const asking = document.activeElement === ask;
  if (!all.length || (at < 0 && !asking && window.lianxin.typing(event.target))) return;
  const down = event.key === "ArrowDown" || (event.key === "j" && !asking);
  const up = event.key === "ArrowUp" || (event.key === "k" && !asking);
  if ((!down && !up) || (at < 0 && up)) return;
  event.preventDefault();
  if (at === 0 && up) ask.focus();
  else all[Math.min(at + (down ? 1 : -1), all.length - 1)].focus();
});
