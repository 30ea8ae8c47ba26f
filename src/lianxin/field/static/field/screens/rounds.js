// Rounds and check-ins: what falls due, a code on the wall, "I am here". Only the check-in is kept, never the way there.

import { go } from "../app.js";
import { data } from "../data.js";
import { button, h, icon, link, notice, say } from "../dom.js";
import { locate, nearest, placed, toWgs84 } from "../geo.js";
import { queue } from "../queue.js";
import { scan } from "../scan.js";
import { everywhere, placeNamed, sitePicker } from "../sites.js";
import { due, named, when, w } from "../words.js";
import { formAddress, formName } from "./form.js";
import { find } from "./parts.js";
import { dealt, sorted, taskRow } from "./today.js";
import { itemState } from "./unsent.js";

const NEAR = 300; // metres within which a place is offered as the one where the worker stands
const SHOWN = 5;

export async function render(root, params) { return params.id ? task(root, params.id) : overview(root); }

async function checkIn(body) {
  try { await queue.add("check_in", body); say(w("checkin.kept")); return true; } catch (fault) { say(fault.message); return false; }
}
// The code on the wall of a place; null when nothing was read.
async function byCode(expected = "") {
  const read = await scan();
  if (!read) return null;
  if (expected && read.site && read.site !== expected) { say(w("scan.elsewhere")); return null; }
  const site = read.site || expected;
  return await checkIn({ how: "qr", code: read.code, ...(site ? { site } : {}) }) ? { site } : null;
}

async function overview(root) {
  const [forms, all] = [(await data.section("forms")) ?? [], await everywhere()];
  const list = h("div", {}), here = h("div", { role: "status" }), mine = h("div", {});
  let stop = () => {}, print = "";
  const at = (site) => here.replaceChildren(notice("", h("p", {}, w("checkin.at", { place: placeNamed(all, "site", site) })),
    h("div", { class: "f-stack" }, forms.map((form) => link(formName(form), formAddress(form.code, { site }), { class: "wide" }, "next")))));
  const scanned = button(w("scan.title"), { class: "primary wide big", onclick: async () => { const done = await byCode(); if (done?.site) at(done.site); } }, "camera");
  const stand = button(w("checkin.here"), { class: "wide", onclick: () => {
    stop();
    here.replaceChildren(h("p", { class: "f-help" }, w("place.looking")));
    stop = locate((told) => here.replaceChildren(...(told.fault ? [notice("warning", h("p", {}, w(told.fault === "denied" ? "place.denied" : "place.none"))), sitePicker(all.filter(({ key }) => key === "site"), chosen)] : offer(told))));
  } }, "here");
  const chosen = async (one) => { stop(); if (await checkIn({ how: "button", site: one.code })) at(one.code); };
  const offer = (told) => {
    const point = toWgs84(told), near = nearest(all.filter(({ key }) => key === "site"), point).filter(({ away }) => away <= NEAR + told.accuracy).slice(0, SHOWN);
    return [h("p", { class: "f-help" }, w("checkin.which", { n: told.accuracy })), h("div", { class: "f-stack" },
      near.map(({ one, away }) => button(w("checkin.near", { place: placeNamed(all, "site", one.code), n: Math.round(away) }), { class: "row", onclick: () => chosen(one) }, "pin")),
      button(w("checkin.position"), { class: "row", onclick: async () => { stop(); if (await checkIn({ how: "button", lon: point.lon, lat: point.lat, accuracy: told.accuracy })) here.replaceChildren(); } }, "here"))];
  };
  const draw = async () => {
    const [tasks, items] = await Promise.all([data.section("tasks.rounds"), queue.list()]), made = items.filter(({ kind }) => kind === "check_in" || kind === "inspection").slice(-SHOWN).reverse();
    const now = JSON.stringify([tasks, made.map(({ id, state }) => [id, state]), Math.floor(Date.now() / 60_000)]);
    if (now === print) return;
    print = now;
    const ids = dealt(items);
    list.replaceChildren(tasks?.length ? h("ul", { class: "f-list" }, sorted(tasks).map((one) => taskRow(one, ids))) : h("p", { class: "f-help" }, w("rounds.empty")));
    mine.replaceChildren(...(made.length ? [h("h2", {}, w("rounds.made")), h("ol", { class: "f-list" }, made.map((one) => h("li", { class: `f-card ${one.state}` },
      h("p", { class: "f-cardhead" }, h("strong", {}, one.kind === "check_in" ? w("item.check_in") : formName(forms.find(({ code }) => code === one.body.form) ?? { name: one.body.form })), itemState(one)),
      h("p", {}, [where(one, all), when(one.made_at)].filter(Boolean).join(" · ")))))] : []));
  };
  root.append(h("h1", {}, w("rounds.title")),
    h("section", {}, h("h2", {}, w("checkin.title")), h("p", { class: "f-help" }, w("checkin.help")), h("div", { class: "f-stack" }, scanned, stand), here),
    h("section", {}, h("h2", {}, w("rounds.due")), list),
    h("section", {}, h("h2", {}, w("rounds.forms")), forms.length ? h("div", { class: "f-stack" }, forms.map((form) => link(formName(form), formAddress(form.code), { class: "wide" }, "next"))) : h("p", { class: "f-help" }, w("rounds.no_forms"))),
    h("section", {}, mine));
  await draw();
  const timer = setInterval(draw, 60_000);
  return { refresh: draw, leave: () => { stop(); clearInterval(timer); } };
}
const where = ({ body, answer }, all) => answer?.site?.name || (body.site || body.area ? placeNamed(all, body.site ? "site" : "area", body.site || body.area) : "");

// One place that falls due: check in there, fill in its form.
async function task(root, id) {
  const one = await find(id);
  if (!one) {
    root.append(h("h1", {}, w("task.gone_title")), notice("warning", h("p", {}, w("task.gone"))), link(w("rounds.title"), "#/round", { class: "primary wide" }, "here"));
    return {};
  }
  const fill = formAddress(one.form, { site: one.site, area: one.area, task: one.id });
  const { state, words } = due(one.due_at);
  root.append(h("h1", {}, named({ name: one.title, name_en: one.title_en })),
    h("p", { class: `f-due ${state}` }, icon(state === "late" ? "late" : "waiting"), words),
    h("dl", { class: "f-facts" }, [["task.place", one.place], ["rounds.last", one.last_at ? when(one.last_at) : w("rounds.never")]].map(([key, value]) => h("div", {}, h("dt", {}, w(key)), h("dd", {}, value)))),
    placed(one) ? h("div", { class: "f-row" }, link(w("task.on_map"), `#/map?lon=${one.lon}&lat=${one.lat}`, {}, "map"), link(w("task.way"), `geo:${one.lat},${one.lon}?q=${one.lat},${one.lon}`, {}, "right")) : "",
    h("div", { class: "f-stack" }, one.site && button(w("scan.title"), { class: "wide", onclick: async () => { if (await byCode(one.site)) go(fill); } }, "camera"),
      link(w("rounds.fill"), fill, { class: "primary wide big" }, "next")));
  return {};
}
