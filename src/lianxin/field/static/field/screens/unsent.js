// Everything made here and not yet taken, in order, each with how it stands; and what to do when the server said no.

import { data } from "../data.js";
import { ask, button, field, h, icon, notice, put, say } from "../dom.js";
import { queue } from "../queue.js";
import { bytes, when, w } from "../words.js";

const STATES = { unsent: "state.unsent", sending: "state.sending", accepted: "state.accepted", conflict: "state.conflict", refused: "state.refused" };
const SHAPES = { unsent: "unsent", sending: "sending", accepted: "sent", conflict: "conflict", refused: "refused" };
const KINDS = {
  report: "item.report", add: "item.add", check: "item.check", reply: "item.reply", contact: "item.contact", sign: "item.sign",
  check_in: "item.check_in", inspection: "item.inspection", care_visit: "item.care_visit", duty: "item.duty", abandon: "item.abandon",
};
export const itemState = ({ state }) => h("span", { class: `f-mark ${state}` }, icon(SHAPES[state]), w(STATES[state]));
export const itemKind = ({ kind, body }) => w(kind === "report" && body?.settled ? "item.settled" : KINDS[kind] ?? "item.other");
// Words of one's own in an item, for a line of a list.
export const itemWords = ({ body = {} }) => body.settled?.words || body.words || body.public_answer || body.note || (body.outcome ? w(`care.${body.outcome}`) : "");

export async function render(root) {
  const box = h("div", {}), room = h("p", { class: "f-help" });
  let print = "";
  const draw = async () => {
    const all = await queue.list(), open = all.filter((one) => one.state !== "accepted"), done = all.filter((one) => one.state === "accepted").reverse();
    const now = JSON.stringify(all.map((one) => [one.id, one.state]));
    if (now === print) return;
    print = now;
    const focus = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    box.replaceChildren(...[
      open.length ? h("ol", { class: "f-list" }, open.map((one) => row(one, draw))) : h("div", { class: "f-empty" }, icon("sent"), h("p", {}, w("unsent.empty"))),
      open.length > 0 && h("p", { class: "f-help" }, w("unsent.order")),
      done.length > 0 && h("details", { class: "f-more" }, h("summary", {}, w("unsent.done", { n: done.length })), h("ol", { class: "f-list" }, done.map((one) => row(one, draw)))),
    ].filter(Boolean));
    if (focus) box.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
    // Only what a worker reported may be added to.
    const reported = new Set(((await data.section("reports")) ?? []).map((one) => String(one.id)));
    for (const item of open) {
      const adding = box.querySelector(`[data-key="add-${item.id}"]`);
      if (adding) adding.hidden = !(reported.has(caseOf(item)) && item.kind !== "add" && (itemWords(item) || item.files?.length));
    }
    const { usage, quota } = await navigator.storage?.estimate?.() ?? {};
    room.textContent = quota ? w("unsent.room", { used: bytes(usage), all: bytes(quota) }) : "";
  };
  put(root, h("h1", {}, w("unsent.title")), box, room);
  await draw();
  return { refresh: draw };
}

function row(item, drawn) {
  const words = itemWords(item), trouble = ["conflict", "refused"].includes(item.state);
  return h("li", { class: `f-card ${item.state}` },
    h("p", { class: "f-cardhead" }, h("strong", {}, itemKind(item)), itemState(item)),
    words && h("p", { class: "f-quote" }, words),
    h("p", { class: "f-help" }, w("item.made", { when: when(item.made_at) }), item.files?.length ? ` · ${w("item.files", { n: item.files.length })}` : "",
      item.answer?.number ? ` · ${item.answer.number}` : ""),
    trouble && settling(item, drawn),
    item.state === "unsent" && button(w("item.drop"), { class: "quiet", data: { key: `drop-${item.id}` }, onclick: () => drop(item) }, "remove"));
}

// Both versions side by side, and the three ways on.
function settling(item, drawn) {
  const problem = item.problem ?? {}, current = problem.current ?? {}, conflict = item.state === "conflict", fields = Object.values(problem.fields ?? {}).map(String);
  // Of somebody who withdrew, or whom another visits now, nothing stays here: there is one way on.
  if (current.forget) return h("div", {}, notice("warning", h("p", {}, h("strong", {}, problem.title)), h("p", {}, problem.detail)),
    button(w("care.forget"), { class: "wide primary", data: { key: `forget-${item.id}` }, onclick: () => tried(({ id }) => queue.abandon(id, w("care.forget_why")), item, drawn) }));
  return h("div", {},
    notice(conflict ? "warning" : "error", h("p", {}, h("strong", {}, problem.title || w(conflict ? "unsent.conflict" : "unsent.refused"))), problem.detail && h("p", {}, problem.detail), fields.map((one) => h("p", {}, one)), h("p", {}, w("unsent.kept"))),
    h("div", { class: "f-versions" }, version(w("unsent.mine"), mine(item), item.made_at), conflict && version(w("unsent.theirs"), theirs(current))),
    h("div", { class: "f-stack" }, button(w("settle.again"), { class: "wide primary", data: { key: `again-${item.id}` }, onclick: () => tried(again, item, drawn) }),
      button(w("settle.add"), { class: "wide", hidden: true, data: { key: `add-${item.id}` }, onclick: () => tried(addition, item, drawn) }),
      button(w("settle.abandon"), { class: "wide danger", data: { key: `abandon-${item.id}` }, onclick: () => tried(drop, item, drawn) })));
}
async function tried(run, item, drawn) {
  try { await run(item); await drawn(); } catch (fault) { say(fault.message); }
}
const version = (title, lines, at) => h("section", {}, h("h3", {}, title), at && h("p", { class: "f-help" }, when(at)), lines.map((one) => h("p", {}, one)));
const mine = (item) => [itemKind(item), itemWords(item), item.body?.solved === undefined ? "" : w(item.body.solved ? "reply.solved" : "reply.unsolved"),
  item.body?.handled === undefined ? "" : w(item.body.handled ? "check.yes" : "check.no"), item.files?.length ? w("item.files", { n: item.files.length }) : ""].filter(Boolean);
// The case as the server has it now.
function theirs(current) {
  const standing = current.standing ?? (current.state ? w(`case.${current.state}`) : w("unsent.gone"));
  return [current.number, standing, current.lead_unit && w("unsent.unit", { unit: current.lead_unit }), current.public_answer].filter((one) => typeof one === "string" && one);
}

const complete = async (item) => (await Promise.all((item.files ?? []).map(async ({ id, role, name }) => ({ role, name, blob: await queue.file(id) })))).filter(({ blob }) => blob);
const caseOf = (item) => item.body?.case ?? item.problem?.current?.case;
// What was written in an item, where the worker may put it right before it goes again: [its words, the body with others].
function written(body) {
  if (body.settled) return [body.settled.words, (words) => ({ ...body, settled: { words } })];
  const name = ["public_answer", "note", "words"].find((one) => typeof body[one] === "string");
  return name ? [body[name], (words) => ({ ...body, [name]: words })] : [null, () => body];
}
// Made anew, as an answer to how things are now.
async function again(item) {
  const [words, changed] = written(item.body ?? {}), text = words !== null && h("textarea", { rows: 3, maxLength: 5000, value: words });
  const help = h("p", {}, w(item.state === "conflict" ? "settle.again_help" : "settle.again_same"));
  if (await ask(w("settle.again"), put(h("div", {}, help), text && field(w("settle.words"), text)), [["yes", w("settle.yes"), "primary"], ["no", w("settle.no")]]) !== "yes") return;
  const body = changed(text ? text.value.trim() : ""), version = item.problem?.current?.version;
  await queue.settle(item.id, item.kind, body.version !== undefined && version ? { ...body, version } : { ...body }, await complete(item));
}
// A note to a case carries photos and voices; what they show is said in its words.
async function addition(item) {
  const files = (await complete(item)).map((file) => ({ ...file, role: file.role === "voice" ? "voice" : "report" }));
  await queue.settle(item.id, "add", { case: caseOf(item), words: itemWords(item) }, files);
}

// Given up only with a reason; one that was never sent goes at once, and is gone.
async function drop(item) {
  const why = h("textarea", { rows: 2, maxLength: 500 }), asked = field(w("abandon.why"), why, w(item.state === "unsent" ? "abandon.unsent_help" : "abandon.help"));
  for (;;) {
    if (await ask(w("abandon.title"), h("div", {}, h("p", {}, `${itemKind(item)}: ${itemWords(item)}`), asked), [["yes", w("abandon.do"), "danger"], ["no", w("settle.no"), "primary"]]) !== "yes") return;
    if (why.value.trim()) break;
    asked.fault(w("abandon.why_needed"));
  }
  await queue.abandon(item.id, why.value.trim());
  say(w("abandon.done"));
}
