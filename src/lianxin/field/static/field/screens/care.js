// A visit to somebody who asked to be looked in on: who, where, what they asked for; met or not, and help where it is needed.

import { button, choice, field, h, icon, link, notice, say } from "../dom.js";
import { openDraft } from "../draft.js";
import { find, kindWords, made, own } from "./parts.js";
import { due, w } from "../words.js";

const OUTCOMES = ["done", "not_at_home", "needs_help"];
const CALLS = ["120", "110", "119"];

export async function render(root, { id }) {
  const [task, draft, items] = await Promise.all([find(id), openDraft(`care:${id}`, { outcome: "", note: "", words: "" }, [], (fault) => say(fault.message)), own((one) => one.kind === "care_visit" && one.body?.entry === id)]);
  if (!task) {
    // Withdrawn or given to another: what was being written of this person goes too.
    await draft.drop();
    root.append(h("h1", {}, w("task.gone_title")), notice("", h("p", {}, w("care.gone"))), link(w("nav.today"), "#/today", { class: "primary wide" }, "today"));
    return {};
  }
  const { state, words } = due(task.due_at);
  root.append(h("p", { class: "f-kind" }, kindWords("care")), h("h1", {}, task.name),
    h("p", { class: `f-due ${state}` }, icon(state === "late" ? "late" : "waiting"), words),
    h("dl", { class: "f-facts" }, [["care.address", task.address], ["care.place", task.place]].filter(([, value]) => value).map(([key, value]) => h("div", {}, h("dt", {}, w(key)), h("dd", {}, value)))),
    task.phone ? link(w("care.call", { phone: task.phone }), `tel:${task.phone}`, { class: "wide" }, "call") : "",
    h("h2", {}, w("care.purpose")), h("div", { class: "f-quote" }, task.purpose),
    task.absences > 0 ? notice("warning", h("p", {}, w("care.absences", { n: task.absences }))) : "", made(items) || "");
  if (items.some((one) => one.state !== "accepted")) return { leave: () => draft.close() };
  root.append(form(id, draft));
  return { leave: () => draft.close() };
}

function form(id, draft) {
  const { value } = draft, fault = h("p", { class: "f-error", role: "alert" });
  const area = (name, rows, maxLength) => { const box = h("textarea", { rows, maxLength, value: value[name], oninput: () => { value[name] = box.value; draft.save(); } }); return box; };
  const words = field(w("care.words"), area("words", 3, 2000), w("care.words_help"));
  const help = h("div", { class: "f-alarm", hidden: value.outcome !== "needs_help" }, h("p", {}, w("emergency.help")),
    h("div", { class: "f-calls" }, CALLS.map((number) => h("a", { class: "f-call", href: `tel:${number}` }, h("strong", {}, number), w(`emergency.${number}`)))), words);
  const send = button(w("care.send"), { class: "primary wide big", onclick: async () => {
    const missing = !value.outcome ? w("care.need_outcome") : value.outcome === "needs_help" && !value.words.trim() ? w("care.need_words") : "";
    fault.textContent = missing;
    if (missing) { (value.outcome ? words.control : section.querySelector("input[type=radio]")).focus(); return; }
    send.disabled = true;
    const body = { entry: id, outcome: value.outcome, note: value.note.trim(), ...(value.outcome === "needs_help" ? { words: value.words.trim() } : {}) };
    try { await draft.hand("care_visit", body); say(w("task.kept")); location.hash = "#/today"; } catch (problem) { say(problem.message); send.disabled = false; }
  } }, "sent");
  const section = h("section", { class: "f-block" },
    choice(w("care.question"), "outcome", OUTCOMES.map((one) => [one, w(`care.${one}`), w(`care.${one}_help`)]), value.outcome, (picked) => { value.outcome = picked; help.hidden = picked !== "needs_help"; draft.flush(); }),
    help, field(w("care.note"), area("note", 2, 500), w("care.note_help")), fault, h("p", { class: "f-help" }, w("care.sealed")), h("div", { class: "f-foot" }, send));
  return section;
}
