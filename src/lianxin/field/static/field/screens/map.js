// My grids with their places and my tasks, and the same as a list for fingers that are wet and for readers of the screen.

import { data } from "../data.js";
import { button, field, h, icon, put } from "../dom.js";
import { areaAt, features, locate, nearest, placed, toWgs84 } from "../geo.js";
import { sorted, taskRow } from "./today.js";
import { named, w } from "../words.js";

const SHOWN = 12, MANY = 8;
const names = (areas) => h("ul", { class: "f-names" }, areas.map((one) => h("li", {}, icon("map"), named(one))));

export async function render(root, { query }) {
  const [grids, places, tasks] = (await Promise.all([data.section("grids"), data.section("places"), data.tasks()])).map((one) => one ?? []);
  const at = query.get("lon") ? { lon: Number(query.get("lon")), lat: Number(query.get("lat")) } : null;
  let view, here = at, stop = () => {}, left = false;
  const canvas = h("div", { class: "f-map", role: "region", "aria-label": w("map.title") }, h("p", { class: "f-empty" }, w("map.opening")));
  const told = h("p", { class: "f-help", role: "status" });
  const locating = button(w("place.here"), { class: "wide", onclick: () => {
    stop();
    told.textContent = w("place.looking");
    stop = locate((found) => {
      if (found.fault) { told.textContent = w(found.fault === "denied" ? "place.denied" : "place.none"); return; }
      here = toWgs84(found);
      const area = areaAt(grids, here);
      told.textContent = area ? w("place.in", { area: named(area) }) : w("place.outside");
      view?.here(here);
      view?.map.jumpTo({ center: [here.lon, here.lat], zoom: 16 });
      list();
    });
  } }, "here");
  const found = h("div", {}), search = h("input", { type: "search", autocomplete: "off", oninput: () => list() });
  const list = () => {
    const asked = search.value.trim().toLowerCase(), some = places.filter((one) => `${one.name} ${one.name_en ?? ""}`.toLowerCase().includes(asked));
    const ordered = here ? [...nearest(some, here), ...some.filter((one) => !placed(one)).map((one) => ({ one }))] : some.map((one) => ({ one }));
    found.replaceChildren(...[
      !some.length && h("p", { class: "f-help" }, w(places.length ? "place.no_name" : "map.no_places")),
      h("ul", { class: "f-list" }, ordered.slice(0, SHOWN).map(({ one, away }) => h("li", {}, h("button", { type: "button", class: "f-task", disabled: !placed(one), onclick: () => { view?.map.jumpTo({ center: [one.lon, one.lat], zoom: 17 }); canvas.scrollIntoView({ block: "start" }); } },
        h("strong", {}, named(one)), away !== undefined && h("span", { class: "f-help" }, w("map.away", { n: Math.max(5, Math.round(away / 5) * 5) })))))),
      ordered.length > SHOWN && h("p", { class: "f-help" }, w("map.more", { n: ordered.length - SHOWN })),
    ].filter(Boolean));
  };
  const located = sorted(tasks).filter(placed), areas = features(grids).map((one) => one.properties);
  const derived = areas.some((one) => one.synthetic);
  put(root, h("h1", {}, w("nav.map")), canvas, derived && h("p", { class: "f-help" }, w("map.derived")), locating, told,
    h("section", {}, h("h2", {}, w("map.tasks")), located.length ? h("ul", { class: "f-list" }, located.map((one) => taskRow(one, new Map()))) : h("p", { class: "f-help" }, w("map.no_tasks"))),
    h("section", {}, h("h2", {}, w("map.grids")), areas.length === 0 ? h("p", { class: "f-help" }, w("today.no_grid")) : areas.length > MANY ? h("details", {}, h("summary", {}, w("map.grids_n", { n: areas.length })), names(areas)) : names(areas)),
    h("section", {}, h("h2", {}, w("map.places")), field(w("place.search"), search), found));
  list();
  import("../maps.js").then(({ openMap }) => openMap(canvas, { grids, places, tasks }, { centre: at, tapped: ({ id, kind }) => { location.hash = `#/${kind}/${encodeURIComponent(id)}`; } })).then((opened) => {
    if (left) { opened.map.remove(); return; }
    view = opened;
    canvas.querySelector(".f-empty")?.remove();
    if (here) view.here(here);
  }).catch((fault) => { console.warn(fault); canvas.replaceChildren(h("p", { class: "f-empty" }, w("map.failed"))); });
  return { leave: () => { left = true; stop(); view?.map.remove(); } };
}
