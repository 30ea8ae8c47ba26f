// What it is about: three levels of big tiles, the last used first, found by words without a network.

import { data, drafts } from "./data.js";
import { button, fresh, h } from "./dom.js";
import { named, w } from "./words.js";

const RECENT = "recent-categories", KEPT = 6;

const index = (list) => {
  const children = new Map(), byCode = new Map();
  for (const one of list) {
    byCode.set(one.code, one);
    const parent = one.parent ?? "";
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(one);
  }
  // What is met in the street comes first; a branch counts when it holds such a leaf.
  const street = (one) => one.field_matter || (children.get(one.code) ?? []).some(street);
  for (const some of children.values()) some.sort((a, b) => Number(street(b)) - Number(street(a)));
  const leaves = list.filter((one) => !children.has(one.code));
  return { children, byCode, leaves, street };
};
export async function tree() { return index((await data.section("categories")) ?? []); }
export const plain = (one) => one.plain_name || named(one);
export const path = (one, { byCode }) => { const names = []; for (let at = one; at; at = byCode.get(at.parent)) names.unshift(named(at)); return names.join(" › "); };

export async function recent() { return (await drafts.get(RECENT))?.codes ?? []; }
export async function used(code) {
  const codes = (await recent()).filter((one) => one !== code);
  await drafts.put(RECENT, { codes: [code, ...codes].slice(0, KEPT) });
}

// How well words fit a leaf: its keywords that stand in them (with the weights the server reads by), else the pairs of characters that its names share with them.
const pairs = (text) => { const found = new Set(); for (let i = 0; i < text.length - 1; i += 1) found.add(text.slice(i, i + 2)); return found; };
export function suggest(words, { leaves, byCode }, limit = 6) {
  const asked = words.toLowerCase().replace(/\s+/g, ""), had = pairs(asked);
  if (!asked) return [];
  const score = (one) => {
    let sum = 0;
    for (const [word, weight] of Object.entries(one.keywords ?? {})) if (asked.includes(word.toLowerCase())) sum += weight * Math.min(2, 0.5 + word.length / 4);
    const names = [one.name, one.plain_name].filter(Boolean).map((name) => name.toLowerCase().replace(/\s+/g, ""));
    for (const name of names) {
      if (name.includes(asked) || asked.includes(name)) sum += 2;
      const own = pairs(name);
      let shared = 0;
      for (const pair of own) if (had.has(pair)) shared += 1;
      if (/[^\x00-\x7f]/.test(name) && own.size) sum += shared / own.size;
    }
    if (sum && one.field_matter) sum += 0.25;
    return sum + (sum ? 0 : (byCode.get(one.parent)?.name ?? "").includes(asked) ? 0.5 : 0);
  };
  return leaves.map((one) => ({ one, score: score(one) })).filter(({ score: value }) => value >= 0.4).sort((a, b) => b.score - a.score).slice(0, limit).map(({ one }) => one);
}

// The block of a form: shows what is chosen, or the tiles. `held.category` is a code; `changed` is told.
export function categoryBlock(held, known, last, changed) {
  const box = h("div", { class: "f-category" }), title = fresh("category");
  let level = null, whole = false;
  const choose = (one) => { held.category = one.code; level = null; draw(); box.querySelector("button").focus(); changed(); };
  const tile = (one) => {
    const inner = known.children.has(one.code);
    return h("button", { type: "button", class: `f-tile ${inner ? "more" : ""} ${known.street(one) ? "" : "rare"}`, onclick: () => { if (inner) { level = one; draw(); box.querySelector(".f-tiles button")?.focus(); } else choose(one); } }, inner ? named(one) : plain(one));
  };
  const tiles = (some) => h("div", { class: "f-tiles" }, some.map(tile));
  const draw = () => {
    const one = known.byCode.get(held.category);
    if (one) {
      box.replaceChildren(h("div", { class: "f-chosen" }, h("p", {}, h("strong", {}, plain(one)), h("small", {}, path(one, known))),
        button(w("category.change"), { class: "quiet", onclick: () => { held.category = ""; draw(); box.querySelector("input, .f-tiles button")?.focus(); changed(); } })));
      return;
    }
    if (level) {
      const up = known.byCode.get(level.parent) ?? null;
      box.replaceChildren(button(w("category.up", { name: up ? named(up) : w("category.all") }), { class: "wide", onclick: () => { level = up; draw(); box.querySelector("button").focus(); } }, "back"), h("h3", {}, named(level)), tiles(known.children.get(level.code)));
      return;
    }
    const offered = suggest(held.words ?? "", known, 3), found = h("div", { role: "status" });
    const some = last.map((code) => known.byCode.get(code)).filter(Boolean);
    const search = h("input", { type: "search", id: `${title}-search`, autocomplete: "off", enterkeyhint: "search", oninput: () => {
      const fits = suggest(search.value, known);
      found.replaceChildren(...(fits.length ? [tiles(fits)] : search.value.trim() ? [h("p", { class: "f-help" }, w("category.no_match"))] : []));
    } });
    const top = known.children.get("") ?? [], street = top.filter(known.street), rare = street.length ? top.filter((one) => !known.street(one)) : [];
    const rest = rare.length > 0 && !whole && button(w("category.rest"), { class: "wide", onclick: () => { whole = true; draw(); box.querySelectorAll(".f-tiles:last-of-type .f-tile")[street.length]?.focus(); } });
    box.replaceChildren(...[
      offered.length && [h("h3", {}, w("category.from_words")), tiles(offered)],
      some.length && [h("h3", {}, w("category.recent")), tiles(some)],
      some.length > 0 && h("h3", {}, w("category.all")), tiles(whole || !rare.length ? top : street), rest,
      h("div", { class: "f-field" }, h("label", { htmlFor: search.id }, w("category.search")), search), found,
    ].flat(2).filter(Boolean));
  };
  draw();
  return Object.assign(box, { redraw: () => { if (!held.category && !level && !box.contains(document.activeElement)) draw(); } });
}
