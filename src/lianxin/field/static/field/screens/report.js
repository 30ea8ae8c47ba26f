// A report in under twenty seconds: photo, what, where, done. Pushed up to the hotline, or settled on the spot.

import { go, takeEarly } from "../app.js";
import { categoryBlock, plain, recent, tree, used } from "../categories.js";
import { data } from "../data.js";
import { openDraft } from "../draft.js";
import { button, choice, field, h, icon, link, put, say } from "../dom.js";
import { photos, voice } from "../media.js";
import { placeBlock } from "../place.js";
import { queue } from "../queue.js";
import { itemState } from "./unsent.js";
import { w } from "../words.js";

const EMPTY = { how: "push", words: "", category: "", at: null, place_text: "", done: "", urgent: false, emergency: "" };
const LONGEST = 10_000; // characters an item's words may have
const ROLES = ["report", "before", "after", "voice"];
const NUMBERS = [["110", "emergency.110"], ["119", "emergency.119"], ["120", "emergency.120"]];

// What goes to the server of a draft: a sentence of the category where nothing was written.
export function bodyOf(value, category) {
  const { at, how } = value, words = value.words.trim();
  return {
    words: words || (value.done.trim() && how === "settled" ? value.done.trim() : category ? w("report.default", { category }) : w("report.by_voice")),
    ...(value.category ? { category: value.category } : {}),
    ...(at ? { lon: at.lon, lat: at.lat, coordinate_system: at.system, ...(at.accuracy === null ? {} : { accuracy: at.accuracy }) } : {}),
    ...(value.place_text.trim() ? { place_text: value.place_text.trim() } : {}),
    ...(value.urgent || value.emergency ? { urgent: true } : {}),
    ...(value.emergency ? { emergency: value.emergency } : {}),
    ...(how === "settled" ? { settled: { words: value.done.trim() } } : {}),
  };
}
// What is missing: [[block, words]], the first first.
export function missing({ value, files }) {
  const faults = [];
  if (value.how === "settled") {
    if (!files.before.length) faults.push(["before", w("report.need_before")]);
    if (!files.after.length) faults.push(["after", w("report.need_after")]);
    if (!value.done.trim()) faults.push(["done", w("report.need_done")]);
    if (!value.category) faults.push(["category", w("report.need_category_settled")]);
  } else if (!value.words.trim() && !files.voice.length && !(files.report.length && value.category)) {
    faults.push(files.report.length ? ["category", w("report.need_category")] : ["photo", w("report.need_photo")]);
  }
  if (!value.at && !value.place_text.trim()) faults.push(["place", w("report.need_place")]);
  return faults;
}

export async function render(root) {
  const early = takeEarly(), shown = { refresh: () => {}, leave: () => {} };
  const [grids, places, known, last, settings, draft] = await Promise.all([
    data.section("grids"), data.section("places"), tree(), recent(), data.section("settings"), openDraft("report", EMPTY, ROLES, (fault) => say(fault.message))]);
  const { value, files } = draft, blocks = {};
  // A position alone is no report begun, and where the worker stood then is not where they stand now.
  const begun = draft.found && (Object.values(files).some((some) => some.length) || [value.words, value.category, value.place_text, value.done].some(Boolean));
  if (!begun) value.at = null;
  const changed = () => { draft.save(); check(false); };
  const kept = () => { draft.flush(); check(false); };

  const faults = h("div", { class: "f-notice error", role: "alert", hidden: true });
  const check = (tell) => {
    const found = missing(draft);
    if (tell || !faults.hidden) {
      faults.hidden = !found.length;
      faults.replaceChildren(...found.map(([, words]) => h("p", {}, words)));
    }
    return found;
  };
  const strip = { photo: photos(files.report, { label: w("photo.take"), changed: kept }), before: photos(files.before, { label: w("photo.before"), changed: kept }), after: photos(files.after, { label: w("photo.after"), changed: kept }) };
  blocks.photo = strip.photo; blocks.before = strip.before; blocks.after = strip.after;
  const ground = { grids: grids ?? [], places: places ?? [], changed };
  const place = placeBlock(value, ground);
  const category = categoryBlock(value, known, last, changed);
  blocks.place = place; blocks.category = category;
  const words = h("textarea", { rows: 2, value: value.words, maxLength: Math.min(settings?.words ?? 2000, LONGEST), oninput: () => { value.words = words.value; category.redraw(); changed(); } });
  const spot = h("input", { type: "text", value: value.place_text, maxLength: 200, oninput: () => { value.place_text = spot.value; changed(); } });
  const done = h("input", { type: "text", value: value.done, maxLength: 500, oninput: () => { value.done = done.value; changed(); } });
  blocks.done = field(w("report.done_words"), done, w("report.done_help"));

  const send = button("", { class: "primary wide big", onclick: async () => {
    const found = check(true);
    if (found.length) {
      faults.scrollIntoView({ block: "center" });
      (blocks[found[0][0]].take ?? blocks[found[0][0]].querySelector("button:not([hidden]), input, textarea"))?.focus({ preventScroll: true });
      return;
    }
    send.disabled = true;
    // What was filled in for the other way stays out of this one.
    if (value.how === "settled") files.report.length = 0; else { files.before.length = 0; files.after.length = 0; }
    const one = known.byCode.get(value.category);
    try {
      const id = await draft.hand("report", bodyOf(value, one && plain(one)));
      if (one) await used(one.code);
      place.stop();
      finished(root, id, shown);
    } catch (fault) { say(fault.message); send.disabled = false; }
  } }, "sent");
  const pictures = h("div", {}), settledBox = h("div", {}, strip.after, blocks.done);
  const layout = () => {
    const settled = value.how === "settled";
    pictures.replaceChildren(settled ? strip.before : strip.photo);
    settledBox.hidden = !settled;
    send.lastChild.textContent = settled ? w("report.settle") : w("report.push");
  };
  const how = choice(w("report.how"), "how", [["push", w("report.how_push"), w("report.how_push_help")], ["settled", w("report.how_settled"), w("report.how_settled_help")]], value.how, (name) => {
    // The photo already taken is what it was like before.
    if (name === "settled" && !files.before.length) files.before.push(...files.report.splice(0));
    if (name === "push" && !files.report.length) files.report.push(...files.before.splice(0));
    value.how = name;
    Object.values(strip).forEach((one) => one.draw());
    layout(); kept();
  }, "two");
  layout();
  const { toggle, box: calls } = alarm(value, kept, settings);
  put(root, h("div", { class: "f-titlerow" }, h("h1", {}, w("report.title")), toggle), calls,
    begun && h("div", { class: "f-notice f-row" }, h("p", {}, w("report.restored")), button(w("report.discard"), { class: "quiet", onclick: async () => { await draft.drop(); go("#/report"); } }, "remove")),
    pictures, section(w("report.what"), category), section(w("report.where"), place, field(w("report.place_text"), spot, w("report.place_help"))),
    how, settledBox, section(w("report.words"), field(w("report.words_label"), words, w("report.words_help")), voice(files.voice, kept)),
    faults, h("div", { class: "f-foot" }, place.brief, send));
  early?.then((photo) => { if (photo) (value.how === "settled" ? strip.before : strip.photo).add(photo); });
  // What a first report was begun without may come while it is made.
  shown.refresh = async () => {
    if (known.leaves.length && ground.places.length) return;
    Object.assign(known, await tree());
    Object.assign(ground, { grids: (await data.section("grids")) ?? [], places: (await data.section("places")) ?? [] });
    category.redraw();
    place.redraw();
  };
  shown.leave = () => { place.stop(); draft.close(); };
  return { refresh: () => shown.refresh(), leave: () => shown.leave() };
}
const section = (title, ...children) => h("section", { class: "f-block" }, h("h2", {}, title), children);

// Danger first: a call from the same screen, and the record follows. `toggle` stands beside the title, `box` below it.
function alarm(value, kept, settings) {
  const numbers = settings?.emergency ?? NUMBERS.map(([number]) => number), names = new Map(NUMBERS);
  const told = h("p", { role: "status" });
  const toggle = h("button", { type: "button", class: "f-button danger f-toggle", onclick: () => {
    value.urgent = !value.urgent;
    if (!value.urgent) value.emergency = "";
    tell(); kept();
  } }, icon("late"), h("span", {}, w("emergency.urgent")));
  const box = h("div", { class: "f-alarm" }, h("p", {}, h("strong", {}, w("emergency.when"))),
    h("div", { class: "f-calls" }, numbers.map(String).map((number) => h("a", { class: "f-call", href: `tel:${number}`, onclick: () => { value.emergency = number; value.urgent = true; tell(); kept(); } },
      icon("call"), h("strong", {}, number), h("span", {}, names.has(number) ? w(names.get(number)) : "")))), told);
  const tell = () => {
    toggle.setAttribute("aria-pressed", String(value.urgent));
    box.hidden = !value.urgent;
    told.textContent = value.emergency ? w("emergency.called", { number: value.emergency }) : w("emergency.help");
  };
  tell();
  return { toggle, box };
}

// It lies in the telephone now; whether the hotline has it is told as it comes.
function finished(root, id, shown) {
  const state = h("div", { role: "status" }), heading = h("h1", { tabIndex: -1 });
  const draw = async () => {
    const item = await queue.find(id);
    if (!item) return;
    heading.textContent = item.state === "accepted" ? w("report.taken") : w("report.kept");
    const mark = itemState(item);
    if (state.dataset.said === mark.textContent) return;
    state.dataset.said = mark.textContent;
    state.replaceChildren(h("div", { class: `f-card ${item.state}` }, mark,
      item.state === "accepted" ? h("p", {}, item.answer?.number ? w("report.number", { number: item.answer.number }) : "") : h("p", {}, w("report.kept_help"))));
  };
  root.replaceChildren(heading, state, h("div", { class: "f-stack" },
    link(w("report.another"), "#/report", { class: "primary wide", onclick: (event) => { event.preventDefault(); go("#/report"); } }, "camera"),
    link(w("nav.today"), "#/today", { class: "wide" }, "today"), link(w("nav.unsent"), "#/unsent", { class: "wide" }, "unsent")));
  shown.refresh = draw;
  shown.leave = () => {};
  scrollTo(0, 0);
  draw().then(() => heading.focus({ preventScroll: true }));
}
