// An independent look: is it so, as the unit says? A photo of the place, yes or no, a note.

import { button, choice, field, h, put, say } from "../dom.js";
import { openDraft } from "../draft.js";
import { locate, toWgs84 } from "../geo.js";
import { photos } from "../media.js";
import { find, following, gone, head, kindWords, own } from "./parts.js";
import { accuracyWords } from "../place.js";
import { w } from "../words.js";

export async function render(root, { id }) {
  const mine = (one) => one.body?.check === id;
  const [task, draft, items] = await Promise.all([find(id), openDraft(`check:${id}`, { handled: null, note: "", at: null }, ["proof"], (fault) => say(fault.message)), own(mine)]);
  const { value, files } = draft;
  if (!task) return gone(root, draft, value.note);
  const lines = following(mine, items);
  put(root, h("p", { class: "f-kind" }, kindWords("check")), h("h1", {}, task.title), head(task),
    task.asked && h("section", {}, h("h2", {}, w("check.asked")), h("div", { class: "f-quote" }, task.asked)),
    task.answer && h("section", {}, h("h2", {}, w("check.said")), h("div", { class: "f-quote" }, task.answer)), lines.box);
  if (items.some((one) => one.state !== "accepted")) return { refresh: lines.refresh, leave: () => draft.close() };

  const fault = h("div", { class: "f-notice error", role: "alert", hidden: true }), where = h("p", { class: "f-help", role: "status" }, w("place.looking"));
  const note = h("textarea", { rows: 2, value: value.note, maxLength: 2000, oninput: () => { value.note = note.value; draft.save(); } });
  const strip = photos(files.proof, { label: w("check.photo"), changed: draft.flush });
  const stop = locate((told) => {
    if (told.fault) where.textContent = w("check.no_place");
    else { value.at = told; where.textContent = accuracyWords(told.accuracy); draft.save(); }
  });
  const send = button(w("check.send"), { class: "primary wide big", onclick: async () => {
    const missing = [!files.proof.length && w("check.need_photo"), value.handled === null && w("check.need_answer")].filter(Boolean);
    fault.hidden = !missing.length;
    fault.replaceChildren(...missing.map((one) => h("p", {}, one)));
    if (missing.length) { (files.proof.length ? root.querySelector("input[type=radio]") : strip.take).focus(); return; }
    send.disabled = true;
    // The server keeps WGS-84 degrees of where the worker stood.
    const at = value.at && { ...toWgs84(value.at), accuracy: value.at.accuracy };
    try {
      await draft.hand("check", { check: id, handled: value.handled, note: value.note.trim(), ...(at ?? {}) });
      say(w("task.kept"));
      location.hash = "#/today";
    } catch (problem) { say(problem.message); send.disabled = false; }
  } }, "sent");
  put(root, h("section", { class: "f-block" }, h("h2", {}, w("check.title")), strip, where),
    choice(w("check.question"), "handled", [[true, w("check.yes")], [false, w("check.no")]].map(([answer, label]) => [String(answer), label]), value.handled === null ? "" : String(value.handled),
      (answer) => { value.handled = answer === "true"; draft.flush(); }),
    field(w("check.note"), note), fault, h("div", { class: "f-foot" }, send));
  return { refresh: lines.refresh, leave: () => { stop(); draft.close(); } };
}
