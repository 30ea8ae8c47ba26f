// Light, dark or sunlight: as the telephone has it until someone chooses. Loaded before anything is drawn.

const KEY = "lx-field-theme";
export const THEMES = ["auto", "light", "dark", "sun"];
export function theme() { try { const kept = localStorage.getItem(KEY); return THEMES.includes(kept) ? kept : "auto"; } catch { return "auto"; } }
export function setTheme(name) {
  try { localStorage.setItem(KEY, name); } catch { /* for this time only */ }
  if (name === "auto") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = name;
}
if (theme() !== "auto") document.documentElement.dataset.theme = theme();
