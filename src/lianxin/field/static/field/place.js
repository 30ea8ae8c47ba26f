// Where it is: found by the telephone, told in words and metres, put right by dragging the map under a pin, by arrows or by a name.

import { areaAt, locate, metres, moved, nearest, placed, toWgs84 } from "./geo.js";
import { button, field, h, icon } from "./dom.js";
import { named, w } from "./words.js";

const STEP = 10; // metres an arrow moves

export function accuracyWords(accuracy) {
  if (accuracy === null || accuracy === undefined) return w("place.by_hand");
  if (accuracy <= 30) return w("place.good", { n: accuracy });
  return accuracy <= 150 ? w("place.fair", { n: accuracy }) : w("place.poor", { n: accuracy });
}
// A point in words: the grid, and what lies near.
export function pointWords(at, { grids, places }) {
  const wgs = toWgs84(at), area = areaAt(grids, wgs), [near] = nearest(places, wgs);
  const where = area ? w("place.in", { area: named(area) }) : w("place.outside");
  return near && near.away < 2000 ? w("place.near", { where, place: named(near.one), n: Math.max(5, Math.round(near.away / 5) * 5) }) : where;
}

// The block of a form. `held` is {at: {lon, lat, accuracy, system} | null, text} of the draft; `changed` is told. Searching begins at once unless a place is held.
export function placeBlock(held, ground) {
  const { changed } = ground;
  let stop = () => {}, state = held.at ? "found" : "looking";
  const brief = h("p", { class: "f-brief" });
  const line = h("p", { class: "f-place", role: "status" }), hint = h("p", { class: "f-help" });
  const change = button("", { class: "wide", onclick: async () => {
    stop();
    const picked = await pick(held.at, ground);
    if (picked) { held.at = picked; state = "found"; changed(); } else if (!held.at) state = "none";
    draw();
    change.focus();
  } }, "pin");
  const draw = () => {
    line.replaceChildren(icon(state === "found" ? "pin" : "here"), h("span", {}, held.at ? pointWords(held.at, ground) : w({ looking: "place.looking", denied: "place.denied", none: "place.none" }[state])));
    hint.textContent = held.at ? accuracyWords(held.at.accuracy) : "";
    hint.classList.toggle("f-warn", Boolean(held.at?.accuracy > 150));
    brief.replaceChildren(icon(state === "found" ? "pin" : "here"), h("span", {}, [line.textContent, hint.textContent].filter(Boolean).join(" · ")));
    brief.classList.toggle("f-warn", !held.at || held.at.accuracy > 150);
    change.lastChild.textContent = held.at ? w("place.change") : w("place.choose");
  };
  if (!held.at) stop = locate((told) => {
    if (told.fault) state = told.fault;
    else { held.at = told; state = "found"; changed(); }
    draw();
  });
  draw();
  return Object.assign(h("div", { class: "f-placebox" }, line, hint, change), { brief, redraw: draw, stop: () => stop() });
}

// The whole screen for choosing a point: resolves to {lon, lat, accuracy: null, system: "wgs84"}, or to null when nothing was chosen.
export function pick(start, { grids, places }) {
  return new Promise((done) => {
    const first = grids.length || grids.features?.length ? grids : [];
    let at = start ? toWgs84(start) : centreOf(first, places), view, stop = () => {}, chosen = null;
    const line = h("p", { class: "f-place", role: "status" }), canvas = h("div", { class: "f-pickmap" }, h("p", { class: "f-empty" }, w("map.opening")));
    const tell = () => { line.textContent = at ? pointWords(at, { grids, places }) : w("place.none"); };
    const go = (to, zoom) => { at = to; tell(); if (view) view.map.jumpTo({ center: [to.lon, to.lat], ...(zoom ? { zoom } : {}) }); };
    const arrow = (shape, label, east, north) => button(label, { class: `f-arrow ${shape}`, onclick: () => at && go(moved(at, east * STEP, north * STEP)) }, shape);
    const found = h("ul", { class: "f-list f-found" }), search = h("input", { type: "search", autocomplete: "off", enterkeyhint: "search", oninput: () => {
      const asked = search.value.trim().toLowerCase();
      found.replaceChildren(...(asked ? places.filter((one) => placed(one) && `${one.name} ${one.name_en ?? ""} ${(one.aliases ?? []).join(" ")}`.toLowerCase().includes(asked)).slice(0, 6) : [])
        .map((one) => h("li", {}, button(named(one), { class: "row", onclick: () => { go(one, 17); search.value = ""; found.replaceChildren(); keep.focus(); } }, "pin"))));
      if (asked && !found.children.length) found.append(h("li", { class: "f-help" }, w("place.no_name")));
    } });
    const keep = button(w("place.keep"), { class: "primary wide", onclick: () => { chosen = at && { lon: Number(at.lon.toFixed(6)), lat: Number(at.lat.toFixed(6)), accuracy: null, system: "wgs84" }; dialog.close(); } }, "sent");
    const here = button(w("place.here"), { onclick: () => { stop(); line.textContent = w("place.looking"); stop = locate((told) => { if (told.fault) line.textContent = w(told.fault === "denied" ? "place.denied" : "place.none"); else go(toWgs84(told), 17); }); } }, "here");
    const dialog = h("dialog", { class: "f-pick", "aria-labelledby": "f-pick-title", onclose: () => { stop(); view?.map.remove(); dialog.remove(); done(chosen); } },
      h("header", {}, h("h2", { id: "f-pick-title" }, w("place.title")), button(w("place.leave"), { class: "quiet", onclick: () => dialog.close() }, "remove")),
      h("div", { class: "f-pickbox" }, canvas, h("span", { class: "f-pin", "aria-hidden": "true" }, icon("pin"))),
      h("div", { class: "f-pickfoot" }, line,
        h("div", { class: "f-arrows", role: "group", "aria-label": w("place.arrows", { n: STEP }) },
          arrow("left", w("place.west"), -1, 0), arrow("up", w("place.north"), 0, 1), arrow("down", w("place.south"), 0, -1), arrow("right", w("place.east"), 1, 0)),
        field(w("place.search"), search), found, h("div", { class: "f-row" }, here, keep)));
    document.body.append(dialog);
    dialog.showModal();
    tell();
    import("./maps.js").then(({ openMap }) => openMap(canvas, { grids, places }, { centre: at })).then((opened) => {
      if (!dialog.isConnected) { opened.map.remove(); return; }
      view = opened;
      canvas.querySelector(".f-empty")?.remove();
      view.map.on("move", (event) => { if (!event.originalEvent) return; const { lng, lat } = view.map.getCenter(); at = { lon: lng, lat }; });
      view.map.on("moveend", () => { const { lng, lat } = view.map.getCenter(); if (!at || metres(at, { lon: lng, lat }) > 1) at = { lon: lng, lat }; tell(); });
    }).catch(() => { canvas.replaceChildren(h("p", { class: "f-empty" }, w("map.failed"))); });
  });
}
function centreOf(grids, places) {
  const of = (grids.features ?? grids)[0];
  if (placed(of?.properties)) return { lon: of.properties.lon, lat: of.properties.lat };
  const ring = of?.geometry?.type === "Polygon" ? of.geometry.coordinates[0] : of?.geometry?.type === "MultiPolygon" ? of.geometry.coordinates[0][0] : null;
  if (ring) return { lon: ring.reduce((sum, [lon]) => sum + lon, 0) / ring.length, lat: ring.reduce((sum, [, lat]) => sum + lat, 0) / ring.length };
  const [one] = places.filter(placed);
  return one ? { lon: one.lon, lat: one.lat } : null;
}
