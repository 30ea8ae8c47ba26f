// The desk's own behaviour: forms that open in place, typed lists, keys of a case, what others changed meanwhile.
const { say, shown, typing } = window.lianxin;

// Typed lists: options come while typing. A field for several units keeps what stands before the last comma.
const asked = new Map();
document.addEventListener("input", (event) => {
  const input = event.target;
  const kind = "unit" in input.dataset ? "units" : "category" in input.dataset ? "categories" : "area" in input.dataset ? "areas" : "";
  if (!kind) return;
  const parts = kind === "units" ? input.value.split(/[,，]/) : [input.value];
  const last = parts.pop().trim();
  clearTimeout(asked.get(kind));
  if (last.length < 1) return;
  asked.set(kind, setTimeout(async () => {
    const list = document.getElementById(input.getAttribute("list"));
    const answer = await fetch(`${list.dataset.options}?q=${encodeURIComponent(last)}`, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
    if (!answer?.ok) return;
    const before = parts.length ? `${parts.join(", ")}, ` : "";
    const { options } = await answer.json();
    list.replaceChildren(...options.map((text) => Object.assign(document.createElement("option"), { value: before + text })));
  }, 120));
});

// A button that is closed to this person says why, by mouse and by keyboard.
document.addEventListener("click", (event) => {
  const closed = event.target.closest("[data-why]");
  if (closed) { event.preventDefault(); say(closed.dataset.why); }
  const open = event.target.closest("[data-open]");
  if (open) { document.getElementById(open.dataset.open)?.showModal(); closeMenu(); }
  const close = event.target.closest("[data-close-act]");
  if (close && shut(close)) event.preventDefault();
  for (const menu of document.querySelectorAll("details.desk-me[open]")) if (!menu.contains(event.target)) menu.open = false;
});
function closeMenu() { for (const menu of document.querySelectorAll("details.desk-me[open]")) menu.open = false; }

// A form opened in place goes away by Escape or 取消; what was typed stays as a draft.
let opener = null;
function shut(inside) {
  const holder = inside.closest("#act");
  if (!holder) return false;
  holder.replaceChildren();
  (opener?.isConnected ? opener : document.querySelector(".desk-actions .lx-button"))?.focus();
  return true;
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog[open]")) return;
  closeMenu();
  if (typing(event.target)) return;
  const form = document.querySelector("#act > .desk-act");
  if (form) shut(form);
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches?.("[hx-target='#act']")) opener = event.target;
});

// A form that came in by its key is where typing goes on.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "act" && !event.target.classList?.contains("desk-act")) return;
  const scope = document.querySelector(".desk-act");
  const first = scope?.querySelector("[aria-invalid=true]") ?? scope?.querySelector("textarea, input:not([type=hidden]), select, button");
  first?.focus();
  scope?.scrollIntoView({ block: "nearest" });
});
if (document.querySelector(".desk-narrow > .desk-act")) {
  document.querySelector(".desk-act :is([aria-invalid=true], textarea, input:not([type=hidden]), select)")?.focus();
}

// A checklist: one key answers the question that is in turn and goes on to the next.
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || typing(event.target)) return;
  const list = event.target.closest?.("form")?.querySelector("[data-checklist]");
  if (!list || !["y", "n", "x"].includes(event.key.toLowerCase())) return;
  const items = [...list.querySelectorAll(".item")];
  const item = event.target.closest(".item") ?? items.find((one) => !one.querySelector(":checked"));
  const pick = item?.querySelector(`[data-answer-key="${event.key.toLowerCase()}"]`);
  event.preventDefault();
  if (!pick) return;
  pick.click();
  const next = items[items.indexOf(item) + 1]?.querySelector("input") ?? list.closest("form").querySelector("textarea");
  next?.focus();
}, true);

// What somebody else did to the case on the page, told before one types on. Asked while the page is seen only.
async function watch() {
  if (document.hidden) return;
  const places = [...document.querySelectorAll("[data-watch]")].filter((place) => place.dataset.since && shown(place));
  const place = places.pop();  // an open form is the last one; it stands inside the case it acts on
  if (!place) return;
  try {
    const answer = await fetch(`${place.dataset.watch}?since=${place.dataset.since}`, { headers: { "X-Requested-With": "fetch" } });
    if (answer.status !== 200) return;
    const { text } = await answer.json();
    const line = place.querySelector("[data-changed]");
    const words = line.querySelector("[data-changed-text]");
    if (words.textContent !== text) words.textContent = text;
    line.hidden = false;
  } catch { /* the network is away: ask again later */ }
}
setInterval(watch, 5000);
document.addEventListener("visibilitychange", watch);

// The optional helper: its text goes into the field, below what stands there, or beside the button. A person sends it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-assist]");
  if (!button || button.disabled) return;
  const said = button.parentElement.querySelector("[data-assist-said]");
  const field = button.dataset.into ? button.closest("form").elements[button.dataset.into] : null;
  button.disabled = true;
  said.textContent = said.dataset.waiting;
  try {
    const answer = await fetch(button.dataset.assist, {
      method: "POST", headers: { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value, "X-Requested-With": "fetch" },
    });
    const { text, fault } = await answer.json();
    if (!text) said.textContent = fault;
    else if (field) {
      field.value = field.value.trim() ? `${field.value.trimEnd()}\n\n${text}` : text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      said.textContent = said.dataset.done;
      field.focus();
    } else said.textContent = text;
  } catch { said.textContent = button.dataset.silent; }
  button.disabled = false;
});

// Words that nobody is to read: what is selected in a field becomes ■, as many as there were.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-black-out]");
  if (!button) return;
  const field = button.closest("form").elements[button.dataset.blackOut];
  const { selectionStart: from, selectionEnd: to, value } = field;
  if (from === to) { say(button.dataset.none); return; }
  field.setRangeText([...value.slice(from, to)].map((one) => (/\s/.test(one) ? one : "■")).join(""), from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
  say(button.dataset.said);
});
