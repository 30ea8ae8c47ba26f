// The telephone itself: who works with it, language, light, where positions come from, locking and signing out.

import { data } from "../data.js";
import { button, choice, h, put } from "../dom.js";
import { setSystem, system } from "../geo.js";
import { THEMES, setTheme, theme } from "../look.js";
import { choose, list, w, wanted } from "../words.js";

const LOOKS = { auto: "theme.auto", light: "theme.light", dark: "theme.dark", sun: "theme.sun" };
const LANGUAGES = [["zh-hans", "language.zh_hans"], ["zh-hant", "language.zh_hant"], ["en", "language.en"]];

export async function render(root) {
  const me = await data.me();
  put(root, h("h1", {}, w("more.title")),
    me && h("dl", { class: "f-facts" }, [["more.name", me.name], ["more.unit", me.unit], ["more.grids", list((me.grids ?? []).map((one) => one.name))], ["more.device", me.device?.name], ["more.version", document.documentElement.dataset.version]]
      .filter(([, value]) => value).map(([key, value]) => h("div", {}, h("dt", {}, w(key)), h("dd", {}, value)))),
    choice(w("theme.title"), "theme", THEMES.map((name) => [name, w(LOOKS[name]), name === "sun" ? w("theme.sun_help") : ""]), theme(), setTheme),
    choice(w("language.title"), "language", LANGUAGES.map(([code, key]) => [code, h("span", { lang: code }, w(key))]), wanted(), (code) => { choose(code); location.reload(); }),
    choice(w("system.title"), "system", [["wgs84", w("system.wgs84"), w("system.wgs84_help")], ["gcj02", w("system.gcj02"), w("system.gcj02_help")]], system(), setSystem),
    h("div", { class: "f-stack" },
      button(w("more.lock"), { class: "wide", onclick: async () => (await import("../boot.js")).lock() }),
      button(w("finger.do"), { class: "wide", onclick: async () => (await import("../gate.js")).changeFinger() }),
      button(w("pin.change"), { class: "wide", onclick: async () => (await import("../gate.js")).changePin() }),
      button(w("leave.title"), { class: "wide danger", onclick: async () => (await import("../gate.js")).leave() })));
  return {};
}
