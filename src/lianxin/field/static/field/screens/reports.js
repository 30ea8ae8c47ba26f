// What I reported in the last thirty days, and where each stands; more can be said about each.

import { data } from "../data.js";
import { button, field, h, icon, link, notice, put, say } from "../dom.js";
import { openDraft } from "../draft.js";
import { photos, voice } from "../media.js";
import { following, head, own } from "./parts.js";
import { itemState, itemWords } from "./unsent.js";
import { when, w } from "../words.js";

export async function render(root, { id }) {
  const reports = (await data.section("reports")) ?? null;
  if (id) return one(root, reports ?? [], id);
  const waiting = await own((item) => item.kind === "report" && item.state !== "accepted");
  put(root, h("h1", {}, w("reports.title")));
  if (waiting.length) put(root, h("section", {}, h("h2", {}, w("reports.waiting")), h("ul", { class: "f-list" }, waiting.map((item) => h("li", {}, h("a", { class: "f-task", href: "#/unsent" }, itemState(item), h("strong", {}, itemWords(item))))))));
  if (!reports) put(root, notice("warning", h("p", {}, w("today.nothing_fetched"))));
  else if (!reports.length) put(root, h("div", { class: "f-empty" }, icon("camera"), h("p", {}, w("reports.empty"))));
  else put(root, h("ul", { class: "f-list" }, reports.map((report) => h("li", {}, h("a", { class: "f-task", href: `#/reports/${encodeURIComponent(report.id)}` },
    h("strong", {}, report.title), h("span", { class: "f-mark accepted" }, report.standing), report.place && h("span", { class: "f-where" }, icon("pin"), report.place), h("span", { class: "f-help" }, `${when(report.registered_at)} · ${report.number}`))))));
  return {};
}

async function one(root, reports, id) {
  const report = reports.find((each) => String(each.id) === id);
  if (!report) { put(root, h("h1", {}, w("reports.title")), notice("warning", h("p", {}, w("reports.gone"))), link(w("reports.title"), "#/reports", { class: "wide" }, "back")); return {}; }
  const mine = (item) => item.body?.case === id;
  const [draft, items] = await Promise.all([openDraft(`add:${id}`, { words: "" }, ["report", "voice"], (fault) => say(fault.message)), own(mine)]), lines = following(mine, items);
  const { value, files } = draft, words = h("textarea", { rows: 2, maxLength: 2000, value: value.words, oninput: () => { value.words = words.value; draft.save(); } }), written = field(w("add.words"), words);
  const send = button(w("add.do"), { class: "primary wide big", onclick: async () => {
    if (!value.words.trim() && !files.report.length && !files.voice.length) { written.fault(w("add.need")); return; }
    try { await draft.hand("add", { case: id, words: value.words.trim() }); say(w("task.kept")); location.hash = "#/reports"; } catch (fault) { say(fault.message); }
  } }, "sent");
  put(root, h("h1", {}, report.title), head(report, !report.answer && report.due_at),
    h("p", { class: "f-help" }, w("reports.made", { when: when(report.registered_at) })),
    report.answer && h("section", {}, h("h2", {}, w("reports.answer")), h("div", { class: "f-quote" }, report.answer)), lines.box,
    h("section", { class: "f-block" }, h("h2", {}, w("add.title")), written, photos(files.report, { label: w("photo.take"), changed: draft.flush }), voice(files.voice, draft.flush), h("div", { class: "f-foot" }, send)));
  return { refresh: lines.refresh, leave: () => draft.close() };
}
