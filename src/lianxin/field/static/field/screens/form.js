// A form filled in at a place: questions appear as they are asked for, everything is kept at each change, a failed point may
// become a report. The answers are judged here as the server will judge them.

import { go } from "../app.js";
import { data } from "../data.js";
import { button, choice, field, fresh, h, link, notice, say } from "../dom.js";
import { openDraft } from "../draft.js";
import { BAD, MISSING, asked, faults, kept, offers } from "../forms.js";
import { photos } from "../media.js";
import { queue } from "../queue.js";
import { everywhere, placeNamed, sitePicker } from "../sites.js";
import { language, w } from "../words.js";
import { itemState } from "./unsent.js";

const optional = () => (language() === "en" ? " " : "") + w("form.optional");
const said = (thing, key = "label") => (language() === "en" && thing[`${key}_en`]) || thing[key] || "";
export const formName = (form) => said(form, "name");
export const formAddress = (form, { site = "", area = "", task = "" } = {}) =>
  `#/form/${encodeURIComponent(form)}?${new URLSearchParams(Object.entries({ site, area, task }).filter(([, value]) => value))}`;

export async function render(root, params) {
  const [forms, all] = await Promise.all([data.section("forms"), everywhere()]);
  const form = (forms ?? []).find((one) => one.code === params.id);
  if (!form) {
    root.append(h("h1", {}, w("form.gone_title")), notice("warning", h("p", {}, w("form.gone"))), link(w("rounds.title"), "#/round", { class: "primary wide" }, "here"));
    return {};
  }
  const site = params.query.get("site") ?? "", area = params.query.get("area") ?? "", task = params.query.get("task") ?? "";
  if (!site && !area) return where(root, form, all);
  return filling(root, form, { site, area, task }, placeNamed(all, site ? "site" : "area", site || area));
}

function where(root, form, all) {
  root.append(h("h1", {}, formName(form)), h("p", { class: "f-lead" }, w("form.where")), sitePicker(all, (one) => go(formAddress(form.code, { [one.key]: one.code }))));
  return {};
}

async function filling(root, form, place, name) {
  const own = `form/${form.code}/${place.site || place.area}`;
  const draft = await openDraft(own, { answers: {}, photos: {}, version: form.version, rule: "", words: {} }, ["proof"], (fault) => say(fault.message));
  const { value, files } = draft, shots = {}, blocks = {}, shown = { refresh: () => {}, leave: () => draft.close() };
  value.version = form.version; // a draft is finished by the questions of today; what is no longer asked falls out of it
  for (const question of form.questions) if (question.kind === "photo") shots[question.name] = [files.proof[value.photos[question.name]]].filter(Boolean);

  // A photo's answer is its place among the files; which are sent is settled at the end, for a question may be hidden again.
  const answers = () => {
    const held = { ...value.answers };
    let at = 0;
    for (const [question, there] of asked(form, { ...held, ...Object.fromEntries(Object.entries(shots).map(([key, one], n) => [key, one.length ? n + 1 : null])) })) {
      if (question.kind === "photo" && there && shots[question.name].length) held[question.name] = at += 1;
    }
    return held;
  };
  const arrange = (sending) => {
    const wanted = sending ? kept(form, answers()) : null, held = [];
    value.photos = {};
    for (const [key, [blob]] of Object.entries(shots)) {
      if (!blob || (wanted && !(key in wanted))) continue;
      value.photos[key] = held.length;
      held.push(blob);
    }
    files.proof.splice(0, files.proof.length, ...held);
  };
  const layout = () => {
    const now = answers();
    for (const [question, there] of asked(form, now)) blocks[question.name].hidden = !there;
    outcome.draw(now);
  };
  const changed = (question, given, soon = true) => {
    if (question) { if (given === undefined) delete value.answers[question.name]; else value.answers[question.name] = given; blocks[question.name].fault?.(""); }
    if (soon) draft.save(); else { arrange(false); draft.flush(); }
    layout();
  };
  for (const question of form.questions) blocks[question.name] = block(question, value.answers[question.name], shots[question.name], changed);
  const outcome = reporting(form, value, () => draft.save());
  const trouble = h("div", { class: "f-notice error", role: "alert", hidden: true });

  const check = () => {
    const wrong = faults(form, kept(form, answers())), found = form.questions.filter(({ name: key }) => wrong[key]);
    for (const { name: key } of form.questions) blocks[key].fault?.("");
    for (const question of found) blocks[question.name].fault?.(wrong[question.name] === MISSING ? w("form.missing") : wrong[question.name] === BAD ? said(question, "constraint_message") || w("form.bad") : w("form.bad"));
    const open = outcome.missing(answers());
    trouble.hidden = !found.length && !open;
    trouble.replaceChildren(...[found.length > 0 && h("p", {}, w("form.open", { n: found.length })), open && h("p", {}, w("form.report_needed"))].filter(Boolean));
    const first = found.length ? blocks[found[0].name] : open ? outcome : null;
    first?.scrollIntoView({ block: "center" });
    first?.querySelector("input, textarea, button")?.focus({ preventScroll: true });
    return !first;
  };
  const send = button(w("form.send"), { class: "primary wide big", onclick: async () => {
    if (!check()) return;
    send.disabled = true;
    const body = { form: form.code, form_version: form.version, answers: kept(form, answers()) }, report = outcome.chosen(answers());
    for (const key of ["site", "area", "task"]) if (place[key]) body[key] = place[key];
    if (report) body.report = report;
    arrange(true);
    try { finished(root, await draft.hand("inspection", body), shown); } catch (fault) { say(fault.message); send.disabled = false; arrange(false); }
  } }, "sent");
  root.append(...[h("h1", {}, formName(form)), h("p", { class: "f-lead" }, name),
    draft.found && h("div", { class: "f-notice f-row" }, h("p", {}, w("report.restored")), button(w("report.discard"), { class: "quiet", onclick: async () => { await draft.drop(); go(formAddress(form.code, place)); } }, "remove")),
    ...form.questions.map((question) => blocks[question.name]), outcome, trouble, h("div", { class: "f-foot" }, send)].filter(Boolean));
  layout();
  return { refresh: () => shown.refresh(), leave: () => shown.leave() };
}

// One question. `changed(question, answer, soon)` is told; photos are kept at once.
function block(question, held, shots, changed) {
  const { kind, name } = question, label = said(question) + (question.required || ["note", "group"].includes(kind) ? "" : optional()), hint = said(question, "hint");
  if (kind === "group") return h("h2", { class: "f-block" }, label);
  if (kind === "note") return h("div", { class: "f-notice" }, h("p", {}, label));
  if (kind === "one") return told(choice(label, name, question.choices.map((one) => [one.name, said(one)]), held, (picked) => changed(question, picked)), hint);
  if (kind === "many") return told(many(question, label, held ?? [], changed), hint);
  if (kind === "photo") {
    const strip = photos(shots, { label: w("photo.take"), limit: 1, changed: () => changed(question, undefined, false) });
    return told(h("fieldset", { class: "f-choice" }, h("legend", {}, label), strip), hint);
  }
  const number = kind === "number";
  const control = h(number ? "input" : "textarea", { ...(number ? { type: "text", inputMode: question.whole ? "numeric" : "decimal", autocomplete: "off" } : { rows: 2, maxLength: 500 }), value: held ?? "",
    oninput: () => { const text = control.value.trim(); changed(question, !text ? undefined : number ? numberOf(text) : text); } });
  return field(label, control, hint);
}
// A number as it is typed, with full-width digits and a comma for a point too; what is none stays as it is, and is told of.
function numberOf(text) {
  const plain = text.normalize("NFKC").replace(/[−—–]/g, "-").replace(",", ".");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : text;
}
function many(question, label, held, changed) {
  const chosen = new Set(held);
  return h("fieldset", { class: "f-choice" }, h("legend", {}, label), question.choices.map((one) => h("label", {},
    h("input", { type: "checkbox", value: one.name, checked: chosen.has(one.name), onchange: (event) => {
      if (event.target.checked) chosen.add(one.name); else chosen.delete(one.name);
      const now = question.choices.map((other) => other.name).filter((other) => chosen.has(other));
      changed(question, now.length ? now : undefined);
    } }), h("strong", {}, said(one)))));
}
// A group of choices with its hint and a place for what is wrong with it.
function told(group, hint) {
  const id = fresh("q"), error = h("p", { class: "f-error", id, hidden: true });
  if (hint) group.querySelector("legend").after(h("p", { class: "f-help" }, hint));
  group.append(error);
  group.setAttribute("aria-describedby", id);
  return Object.assign(group, { fault: (words) => { error.textContent = words; error.hidden = !words; } });
}

// What failed, and whether it is to be reported: never by itself, and answered before the form goes.
function reporting(form, value, changed) {
  const box = h("div", {}), words = h("textarea", { rows: 2, maxLength: 2000, oninput: () => { value.words[value.rule] = words.value; changed(); } });
  const wording = field(w("form.report_words"), words, w("form.report_help"));
  let print = "";
  const draw = (answers) => {
    const found = offers(form, answers), now = found.map(({ name }) => name).join();
    if (now === print) return;
    print = now;
    if (value.rule && value.rule !== "no" && !found.some(({ name }) => name === value.rule)) value.rule = "";
    const show = () => {
      const rule = found.find(({ name }) => name === value.rule);
      wording.hidden = !rule;
      if (rule) words.value = value.words[rule.name] ?? said(rule, "words");
    };
    box.replaceChildren(...(found.length ? [choice(w("form.report"), "rule", [...found.map((rule) => [rule.name, said(rule)]), ["no", w("form.report_no")]], value.rule, (name) => { value.rule = name; show(); changed(); }), wording] : []));
    show();
  };
  return Object.assign(box, {
    draw, missing: (answers) => offers(form, answers).length > 0 && !value.rule,
    chosen: (answers) => {
      const rule = offers(form, answers).find(({ name }) => name === value.rule), written = rule && (value.words[rule.name] ?? "").trim();
      return rule ? { rule: rule.name, ...(written ? { words: written } : {}) } : null;
    },
  });
}

// It lies in the telephone now; whether the server has it is told as it comes.
function finished(root, id, shown) {
  const state = h("div", { role: "status" }), heading = h("h1", { tabIndex: -1 });
  const draw = async () => {
    const item = await queue.find(id);
    if (!item) return;
    heading.textContent = w(item.state === "accepted" ? "form.taken" : "form.kept");
    const mark = itemState(item);
    if (state.dataset.said === mark.textContent) return;
    state.dataset.said = mark.textContent;
    state.replaceChildren(h("div", { class: `f-card ${item.state}` }, mark,
      h("p", {}, item.state !== "accepted" ? w("report.kept_help") : item.answer?.number ? w("report.number", { number: item.answer.number }) : "")));
  };
  root.replaceChildren(heading, state, h("div", { class: "f-stack" }, link(w("rounds.title"), "#/round", { class: "primary wide" }, "here"), link(w("nav.today"), "#/today", { class: "wide" }, "today"), link(w("nav.unsent"), "#/unsent", { class: "wide" }, "unsent")));
  shown.refresh = draw;
  shown.leave = () => {};
  scrollTo(0, 0);
  draw().then(() => heading.focus({ preventScroll: true }));
}
