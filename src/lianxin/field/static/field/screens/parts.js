// What the pages of a task share: its head, what was done with it and is still here, and the page of one that is gone.

import { button, h, icon, link, notice, put } from "../dom.js";
import { kindWords } from "./today.js";
import { itemKind, itemState, itemWords } from "./unsent.js";
import { data } from "../data.js";
import { queue } from "../queue.js";
import { due, w } from "../words.js";

export async function find(id) { return (await data.tasks()).find((one) => String(one.id) === id); }

export function head(task, timed = true) {
  const { state, words } = due(task.due_at), at = Number.isFinite(task.lon) && Number.isFinite(task.lat);
  return [
    timed && h("p", { class: `f-due ${state}` }, icon(state === "late" ? "late" : "waiting"), words),
    task.urgent && h("p", { class: "f-mark conflict" }, icon("late"), w("task.urgent")),
    h("div", { class: "f-quote" }, task.words),
    h("dl", { class: "f-facts" }, [["task.place", task.place], ["task.category", task.category], ["task.unit", task.unit], ["task.standing", task.standing], ["task.number", task.number]]
      .filter(([, value]) => value).map(([key, value]) => h("div", {}, h("dt", {}, w(key)), h("dd", {}, value)))),
    at && h("div", { class: "f-row" }, link(w("task.on_map"), `#/map?lon=${task.lon}&lat=${task.lat}`, {}, "map"), link(w("task.way"), `geo:${task.lat},${task.lon}?q=${task.lat},${task.lon}`, {}, "right")),
  ].filter(Boolean);
}
// Items of the queue that concern a case or a check, in order.
export const own = async (test) => (await queue.list()).filter(test);
export function made(items) {
  return items.length === 0 ? "" : h("section", {}, h("h2", {}, w("task.made")), h("ol", { class: "f-list" }, items.map((one) => h("li", { class: `f-card ${one.state}` },
    h("p", { class: "f-cardhead" }, h("strong", {}, itemKind(one)), itemState(one)), itemWords(one) && h("p", {}, itemWords(one)),
    ["conflict", "refused"].includes(one.state) && link(w("task.settle"), "#/unsent", { class: "wide" }, "unsent")))));
}
// The same, kept true while the page is open: `box` stands on it, `refresh` is the page's.
export function following(test, items) {
  const box = h("div", {}, made(items));
  return { box, refresh: async () => box.replaceChildren(made(await own(test))) };
}
// The version of a case that its worker has seen: what was pulled, or what an answer told since; none while something of theirs is still here, for that will change it.
export function seenVersion(task, items) {
  if (items.some((one) => one.state === "unsent" || one.state === "sending")) return null;
  return Math.max(task.version ?? 0, ...items.map((one) => one.answer?.version ?? 0)) || null;
}
// A task that is not (any more) among those of the telephone. What was being written for it is shown, and kept until thrown away.
export function gone(root, draft, written) {
  put(root, h("h1", {}, w("task.gone_title")), notice("warning", h("p", {}, w("task.gone"))),
    ...(written ? [h("h2", {}, w("task.gone_draft")), h("div", { class: "f-quote" }, written), button(w("report.discard"), { class: "danger", onclick: async (event) => { await draft.drop(); event.target.closest("button").remove(); } }, "remove")] : []),
    link(w("nav.today"), "#/today", { class: "primary wide" }, "today"));
  return { leave: () => draft.close() };
}
export { kindWords };
