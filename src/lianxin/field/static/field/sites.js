// Choosing where one is: a place by its name or nearness, or one of the worker's areas.

import { data } from "./data.js";
import { nearest } from "./geo.js";
import { fresh, h, icon } from "./dom.js";
import { named, w } from "./words.js";

const SHOWN = 8;

// Every place and area of the worker: {code, name, key: "site" | "area", lon, lat}.
export async function everywhere() {
  const [places, me] = await Promise.all([data.section("places"), data.section("me")]);
  const areas = (me?.grids ?? []).map((one) => ({ ...one, key: "area" }));
  return [...areas, ...(places ?? []).filter((one) => one.code).map((one) => ({ ...one, key: one.level || /village|town|grid/.test(one.kind ?? "") ? "area" : "site" }))];
}
export const placeNamed = (all, key, code) => named(all.find((one) => one.key === key && one.code === code)) || code;

// A field that narrows the places while one types; `chosen` hears the one that was pressed. `at` puts the near ones first.
export function sitePicker(all, chosen, at = null) {
  const id = fresh("where"), list = h("ul", { class: "f-list" });
  const draw = () => {
    const said = search.value.trim();
    const fitting = said ? all.filter((one) => named(one).includes(said) || one.code === said) : at ? [...nearest(all, at).map(({ one }) => one)] : all;
    list.replaceChildren(...fitting.slice(0, SHOWN).map((one) => h("li", {}, h("button", { type: "button", class: "f-button row", onclick: () => chosen(one) }, icon("pin"), h("span", {}, named(one))))));
    if (!fitting.length) list.replaceChildren(h("li", { class: "f-help" }, w("where.none")));
    more.textContent = fitting.length > SHOWN ? w("where.more", { n: fitting.length - SHOWN }) : "";
  };
  const search = h("input", { id, type: "search", autocomplete: "off", oninput: () => draw() }), more = h("p", { class: "f-help", role: "status" });
  draw();
  return h("div", { class: "f-field" }, h("label", { htmlFor: id }, w("where.search")), search, list, more);
}
