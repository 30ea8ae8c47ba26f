// The desk's own behaviour: typed lists, the call screen, first row chosen on wide screens, dialogs.

// Typed lists: options come while typing. A field for several units keeps what stands before the last comma.
const asked = new Map();
document.addEventListener("input", (event) => {
  const input = event.target;
  const kind = "unit" in input.dataset ? "units" : "category" in input.dataset ? "categories" : "area" in input.dataset ? "areas" : "";
  if (!kind) return;
  if (event.isTrusted) input.dataset.byHand = "1";
  const parts = kind === "units" ? input.value.split(/[,，]/) : [input.value];
  const last = parts.pop().trim();
  if (last.length < 1) return;
  clearTimeout(asked.get(kind));
  asked.set(kind, setTimeout(async () => {
    const answer = await fetch(`/desk/lists/${kind}/?q=${encodeURIComponent(last)}`).catch(() => null);
    const list = document.getElementById(input.getAttribute("list"));
    if (!answer?.ok || !list) return;
    const before = parts.length ? `${parts.join(", ")}, ` : "";
    const { options } = await answer.json();
    list.replaceChildren(...options.map((text) => Object.assign(document.createElement("option"), { value: before + text })));
  }, 120));
});

// The call: what was read is put into fields nobody has touched; a person's choice always stands.
const form = document.getElementById("call-form");
function fill(button, byHand) {
  const input = form.elements[button.dataset.fill];
  if (!byHand && (input.dataset.byHand || (input.value && !input.dataset.filled))) return;
  if (input.value === button.dataset.value) return;
  input.value = button.dataset.value;
  input.dataset.filled = "1";
  if (byHand) input.dataset.byHand = "1";
  if (button.dataset.fill === "area") {
    form.elements.lon.value = button.dataset.lon ?? "";
    form.elements.lat.value = button.dataset.lat ?? "";
    const place = form.elements.place_text;
    if (!place.value || place.dataset.filled) { place.value = button.dataset.place ?? ""; place.dataset.filled = "1"; }
  }
  form.dispatchEvent(new CustomEvent("lx:restored", { bubbles: true }));
}
if (form) {
  for (const name of ["category", "area"]) if (form.elements[name].value) form.elements[name].dataset.byHand = "1";
  form.addEventListener("click", (event) => {
    const pick = event.target.closest("[data-fill]");
    if (pick) fill(pick, true);
    const use = event.target.closest("[data-use-answer]");
    if (use) {
      form.querySelector(".desk-answer").open = true;
      form.elements.public_answer.value = use.closest("details").querySelector("[data-answer-text]").textContent;
      form.elements.public_answer.focus();
    }
    const answer = event.target.closest("[data-answer]");
    if (answer && !form.elements.public_answer.value.trim()) {
      event.preventDefault();
      form.querySelector(".desk-answer").open = true;
      form.elements.public_answer.focus();
    }
  });
  document.addEventListener("htmx:afterSettle", () => form.querySelectorAll("[data-auto]").forEach((button) => fill(button, false)));
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || !/^[1-3]$/.test(event.key)) return;
    const pick = form.querySelector(`[data-pick="${event.key}"]`);
    if (pick) { event.preventDefault(); pick.click(); }
  });
  const begun = Date.now();
  const timer = form.querySelector("[data-timer]");
  setInterval(() => {
    const seconds = Math.floor((Date.now() - begun) / 1000);
    timer.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  }, 1000);
  // Enter in a one-line field does not send the form: the keys on the bar do.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "INPUT") event.preventDefault();
  });
}

document.addEventListener("click", (event) => {
  const open = event.target.closest("[data-open]");
  if (open) document.getElementById(open.dataset.open)?.showModal();
  const close = event.target.closest("[data-close-act]");
  const holder = close?.closest("#act");
  if (holder) { event.preventDefault(); holder.replaceChildren(); }
  for (const menu of document.querySelectorAll("details.desk-me[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// A form that came in by its key is where typing goes on.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "act" && !event.target.classList?.contains("desk-act")) return;
  const scope = document.querySelector(".desk-act");
  const first = scope?.querySelector("[aria-invalid=true]") ?? scope?.querySelector("textarea, input:not([type=hidden]), select, button");
  first?.focus();
  scope?.scrollIntoView({ block: "nearest" });
});
