// Today: my grids, my tasks by due time, what is overdue first.

import { data } from "../data.js";
import { queue } from "../queue.js";
import { button, h, icon, link, notice, put, say } from "../dom.js";
import { dayLine, due, isToday, list, named, when, w } from "../words.js";

const KINDS = { case: "kind.case", check: "kind.check", round: "kind.round", care: "kind.care", inspection: "kind.inspection", form: "kind.inspection" };
const GROUPS = [["late", "today.late", "late"], ["today", "today.today", "today"], ["later", "today.later", "waiting"], ["open", "today.open", "waiting"]];
export const kindWords = (kind) => w(KINDS[kind] ?? "kind.other");

// Tasks by due time, those without one last; `done` are ids that an item still unsent deals with.
export function sorted(tasks) {
  return [...tasks].sort((a, b) => (a.due_at ?? "9").localeCompare(b.due_at ?? "9") || String(a.title).localeCompare(String(b.title)));
}
export function dealt(items) {
  const ids = new Map();
  for (const { body, kind, state } of items) {
    if (state === "accepted" || kind === "abandon") continue;
    for (const id of [body?.check, body?.case, body?.task, body?.entry]) if (id) ids.set(String(id), kind);
  }
  return ids;
}
export function taskRow(task, ids) {
  const { state, words } = due(task.due_at), done = ids.get(String(task.id));
  return h("li", {}, h("a", { class: `f-task ${state}`, href: `#/${task.kind}/${encodeURIComponent(task.id)}`, data: { key: `${task.kind}-${task.id}` } },
    h("span", { class: "f-kind" }, kindWords(task.kind)),
    h("strong", {}, task.title),
    task.place && h("span", { class: "f-where" }, icon("pin"), task.place),
    h("span", { class: "f-due" }, icon(state === "late" ? "late" : "waiting"), words),
    done && h("span", { class: "f-mark unsent" }, icon("unsent"), w("task.done_unsent"))));
}

export async function render(root) {
  const box = h("div", {});
  let seen = "";
  const draw = async () => {
    const [me, tasks, items, reports] = await Promise.all([data.section("me"), data.tasks(), queue.list(), data.section("reports")]);
    const print = JSON.stringify([me, tasks, items.map((one) => [one.id, one.state]), reports?.length, Math.floor(Date.now() / 60_000)]);
    if (print === seen) return;
    seen = print;
    const focus = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    box.replaceChildren(...screen(me, tasks ?? [], items, reports ?? []));
    if (focus) box.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  };
  put(root, h("h1", {}, w("today.title")), box);
  await draw();
  const timer = setInterval(draw, 60_000);
  return { refresh: draw, leave: () => clearInterval(timer) };
}

// On duty or not is what the worker says, for the day; this telephone remembers what it said.
function duty(items) {
  const last = items.filter((one) => one.kind === "duty" && isToday(one.made_at)).at(-1), on = Boolean(last?.body.on);
  return h("div", { class: "f-row" }, h("p", { class: "f-help" }, on ? w("duty.since", { when: when(last.made_at) }) : w("duty.not")),
    button(w(on ? "duty.off" : "duty.on"), { class: on ? "" : "primary", data: { key: "duty" }, onclick: async () => { try { await queue.add("duty", { on: !on }); } catch (fault) { say(fault.message); } } }, on ? "stop" : "sent"));
}
function screen(me, tasks, items, reports) {
  const ids = dealt(items), grids = (me?.grids ?? []).map(named), parts = [];
  parts.push(h("p", { class: "f-lead" }, dayLine(), h("br"), grids.length ? w("today.grids", { grids: list(grids) }) : me ? w("today.no_grid") : ""));
  if (me) parts.push(duty(items));
  else parts.push(notice("warning", h("p", {}, w("today.nothing_fetched"))));
  const ordered = sorted(tasks), grouped = (state) => ordered.filter((one) => {
    const now = due(one.due_at).state;
    return now === state || (now === "soon" && state === "today");
  });
  for (const [state, title, shape] of GROUPS) {
    const some = grouped(state);
    if (some.length) parts.push(h("section", { class: `f-group ${state}` }, h("h2", {}, icon(shape), w(title, { n: some.length })), h("ul", { class: "f-list" }, some.map((one) => taskRow(one, ids)))));
  }
  if (me && !tasks.length) parts.push(h("div", { class: "f-empty" }, icon("sent"), h("p", {}, w("today.empty"))));
  parts.push(h("section", {}, h("h2", {}, w("today.more")), h("div", { class: "f-stack" },
    link(w("reports.title_n", { n: reports.length }), "#/reports", { class: "wide", data: { key: "reports" } }, "sent"),
    link(w("rounds.title"), "#/round", { class: "wide", data: { key: "round" } }, "here"))));
  return parts;
}
