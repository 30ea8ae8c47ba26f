// What the application says, in the reader's language: the sentences of field/words.py and its neighbours, one file a language.

const KEY = "lx-field-language", ZONE = "Asia/Shanghai";
let held = {}, spoken = "zh-hans";

// The device's language, until someone chooses: traditional characters for Taiwan, Hong Kong and Macao.
export function wanted() {
  try { const kept = localStorage.getItem(KEY); if (kept) return kept; } catch { /* private mode */ }
  for (const tag of navigator.languages ?? [navigator.language]) {
    if (/^zh/i.test(tag)) return /hant|tw|hk|mo/i.test(tag) ? "zh-hant" : "zh-hans";
    if (/^en/i.test(tag)) return "en";
  }
  return "zh-hans";
}
export function choose(language) { try { localStorage.setItem(KEY, language); } catch { /* for this time only */ } }

// Takes one language's file: {key: sentence}.
export function take(words, language = wanted()) {
  [spoken, held] = [language, words];
  document.documentElement.lang = { "zh-hans": "zh-Hans", "zh-hant": "zh-Hant" }[language] ?? language;
}
export const language = () => spoken;

// A sentence with its {holes} filled. Where the count `n` is one, the sentence for one is said.
export function w(key, values = {}) {
  const said = (values.n === 1 && held[`${key}.one`]) || held[key];
  return said === undefined ? key : said.replace(/\{(\w+)\}/g, (hole, name) => values[name] ?? hole);
}
// The city's own names: the English one for readers of English where there is one.
export const named = (thing) => (spoken === "en" && thing?.name_en) || thing?.name || "";

const locale = () => ({ "zh-hans": "zh-Hans-CN", "zh-hant": "zh-Hant-TW", en: "en-GB" })[spoken];
const format = (moment, options) => new Intl.DateTimeFormat(locale(), { timeZone: ZONE, hourCycle: "h23", ...options }).format(moment);
const DAY = { month: "long", day: "numeric", weekday: "short" }, TIME = { hour: "2-digit", minute: "2-digit" };
const dayOf = (moment) => new Intl.DateTimeFormat("en-CA", { timeZone: ZONE }).format(moment);
export const isToday = (iso) => dayOf(new Date(iso)) === dayOf(new Date());
export const dayLine = (moment = new Date()) => format(moment, { ...DAY, weekday: "long" });
export const clock = (moment) => format(new Date(moment), TIME);

// "today 17:30", "tomorrow 09:00", else the day with its weekday.
export function when(iso, now = new Date()) {
  const moment = new Date(iso), time = clock(moment);
  for (const [shift, key] of [[0, "when.today"], [1, "when.tomorrow"], [-1, "when.yesterday"]]) {
    if (dayOf(moment) === dayOf(new Date(now.getTime() + shift * 86_400_000))) return w(key, { time });
  }
  return w("when.day", { day: format(moment, DAY), time });
}
// A due time in words, and how near it is: late, soon (within two hours), today, later.
export function due(iso, now = new Date()) {
  if (!iso) return { state: "open", words: w("due.none") };
  const moment = new Date(iso), minutes = Math.round((moment - now) / 60_000);
  if (minutes < 0) return { state: "late", words: w("due.late", { span: span(-minutes) }) };
  const state = minutes <= 120 ? "soon" : dayOf(moment) === dayOf(now) ? "today" : "later";
  return { state, words: w("due.by", { when: when(iso, now) }) };
}
export function span(minutes) {
  if (minutes < 60) return w("span.minutes", { n: Math.max(1, minutes) });
  return minutes < 2880 ? w("span.hours", { n: Math.round(minutes / 60) }) : w("span.days", { n: Math.round(minutes / 1440) });
}
export const bytes = (size) => {
  const [step, unit] = size >= 1e9 ? [1e9, "GB"] : size >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  return `${(size / step).toFixed(step === 1e3 ? 0 : 1)} ${unit}`;
};
export const list = (parts) => new Intl.ListFormat(locale(), { type: "unit", style: "long" }).format(parts);
