// A case that was given to me: sign for it, say that I was in touch, reply with a photo of how it is now.

import { go } from "../app.js";
import { button, choice, field, h, notice, put, say } from "../dom.js";
import { openDraft } from "../draft.js";
import { photos } from "../media.js";
import { find, following, gone, head, kindWords, own, seenVersion } from "./parts.js";
import { queue } from "../queue.js";
import { w } from "../words.js";

const MEANS = [["phone", "means.phone"], ["visit", "means.visit"], ["meeting", "means.meeting"], ["message", "means.message"], ["not_left", "means.not_left"]];
const means = () => MEANS.map(([value, key]) => [value, w(key)]);
const yesNo = (yes, no) => [["true", w(yes)], ["false", w(no)]];

export async function render(root, { id }) {
  const [task, draft] = await Promise.all([find(id), openDraft(`case:${id}`, { public_answer: "", solved: null, means: "", private_note: "", reached: null, contact_means: "", contact_note: "" }, ["after"], (fault) => say(fault.message))]);
  const { value } = draft;
  if (!task) return gone(root, draft, value.public_answer || value.private_note || value.contact_note);
  const mine = (one) => one.body?.case === task.case, items = await own(mine), lines = following(mine, items), version = seenVersion(task, items), has = (kind) => items.some((one) => one.kind === kind && one.state !== "refused");
  const add = async (kind, body) => { try { await queue.add(kind, { case: task.case, ...body }); say(w("task.kept")); go(location.hash); } catch (fault) { say(fault.message); } };
  const versioned = version === null ? {} : { version };
  const signed = task.signed || has("sign"), contacted = task.contacted || has("contact");
  put(root, h("p", { class: "f-kind" }, kindWords("case")), h("h1", {}, task.title), head(task), lines.box);
  if (task.objected) put(root, notice("", h("p", {}, w("task.objected"))));
  else if (!signed) put(root, notice("", h("p", {}, w("sign.help"))), h("div", { class: "f-foot" }, button(w("sign.do"), { class: "primary wide big", onclick: () => add("sign", versioned) }, "sent")));
  else if (!has("reply")) put(root, ...(contacted ? [] : [contact(value, draft, add)]), reply(root, task, draft, { versioned, contacted }));
  return { refresh: lines.refresh, leave: () => draft.close() };
}

function contact(value, draft, add) {
  const note = h("textarea", { rows: 2, maxLength: 1000, value: value.contact_note, oninput: () => { value.contact_note = note.value; draft.save(); } });
  const fault = h("p", { class: "f-error", role: "alert" });
  return h("details", { class: "f-block", open: true }, h("summary", {}, h("h2", {}, w("contact.title"))),
    choice(w("contact.means"), "contact", means(), value.contact_means, (picked) => { value.contact_means = picked; draft.save(); }, "two"),
    choice(w("contact.reached"), "reached", yesNo("contact.yes", "contact.no"), value.reached === null ? "" : String(value.reached), (picked) => { value.reached = picked === "true"; draft.save(); }, "two"),
    field(w("contact.note"), note), fault,
    button(w("contact.do"), { class: "wide", onclick: async () => {
      if (!value.contact_means || value.reached === null) { fault.textContent = w("contact.need"); return; }
      const body = { means: value.contact_means, reached: value.reached, contacted_at: new Date().toISOString(), note: value.contact_note.trim() };
      Object.assign(value, { contact_means: "", reached: null, contact_note: "" });
      await draft.flush();
      await add("contact", body);
    } }, "call"));
}

function reply(root, task, draft, { versioned, contacted }) {
  const { value, files } = draft, fault = h("div", { class: "f-notice error", role: "alert", hidden: true });
  const answer = h("textarea", { rows: 3, maxLength: 5000, value: value.public_answer, oninput: () => { value.public_answer = answer.value; draft.save(); } });
  const secret = h("textarea", { rows: 2, maxLength: 2000, value: value.private_note, oninput: () => { value.private_note = secret.value; draft.save(); } });
  const strip = photos(files.after, { label: w("photo.after"), changed: draft.flush });
  const send = button(w("reply.do"), { class: "primary wide big", onclick: async () => {
    const missing = [task.field_matter && !files.after.length && w("reply.need_photo"), !value.public_answer.trim() && w("reply.need_answer"), value.solved === null && w("reply.need_solved"), !contacted && !value.means && w("reply.need_means")].filter(Boolean);
    fault.hidden = !missing.length;
    fault.replaceChildren(...missing.map((one) => h("p", {}, one)));
    if (missing.length) { fault.scrollIntoView({ block: "center" }); return; }
    send.disabled = true;
    const body = { case: task.case, ...versioned, public_answer: value.public_answer.trim(), solved: value.solved, private_note: value.private_note.trim(), ...(value.means ? { means: value.means, contacted_at: new Date().toISOString() } : {}) };
    try { await draft.hand("reply", body); say(w("task.kept")); location.hash = "#/today"; } catch (problem) { say(problem.message); send.disabled = false; }
  } }, "sent");
  return h("section", { class: "f-block" }, h("h2", {}, w("reply.title")), strip,
    field(w("reply.answer"), answer, w("reply.answer_help")),
    choice(w("reply.question"), "solved", yesNo("reply.solved", "reply.unsolved"), value.solved === null ? "" : String(value.solved), (picked) => { value.solved = picked === "true"; draft.save(); }),
    !contacted && choice(w("reply.means"), "means", means(), value.means, (picked) => { value.means = picked; draft.save(); }, "two"),
    h("details", {}, h("summary", {}, w("reply.private")), field(w("reply.private"), secret, w("reply.private_help"))), fault, h("div", { class: "f-foot" }, send));
}
