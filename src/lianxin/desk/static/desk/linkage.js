// The link with other desks, on every page of who works it: what is missed is seen, said aloud and heard, and clocks run.
const { say, typing } = window.lianxin;

const strip = document.querySelector("[data-linkage-strip]");
const MUTED = "lx-linkage-muted";
const POLL = 5000;  // milliseconds between looks while nothing tells this page
const REPEAT = { urgent: 4000, late: 15000 };  // between sounds while an alarm stands
const LOST = 3;  // looks in vain after which the page says that it may have missed something

function until() { try { return Number(localStorage.getItem(MUTED) ?? 0); } catch { return 0; } }
function mute(minutes) {
  const to = minutes ? Date.now() + minutes * 60000 : 0;
  try { localStorage.setItem(MUTED, String(to)); } catch { /* private mode: not kept */ }
  say(minutes ? strip.dataset.quiet.replace("%s", new Date(to).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })) : strip.dataset.loud);
  label();
}

// A browser lets a page sound only after somebody has touched it.
let sound = null;
function touched() {
  sound ??= new AudioContext();
  if (sound.state === "suspended") sound.resume();
  label();
}
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, touched, { once: false, passive: true });

function tone(at, pitch, length) {
  const wave = sound.createOscillator();
  const loud = sound.createGain();
  wave.frequency.value = pitch;
  loud.gain.setValueAtTime(0.0001, at);
  loud.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
  loud.gain.exponentialRampToValueAtTime(0.0001, at + length);
  wave.connect(loud).connect(sound.destination);
  wave.start(at);
  wave.stop(at + length);
}
function beep(kind) {
  if (!sound || sound.state !== "running" || Date.now() < until()) return;
  const at = sound.currentTime;
  for (const [n, pitch] of (kind === "urgent" ? [880, 660, 880, 660] : [523, 392]).entries()) tone(at + n * 0.22, pitch, 0.2);
  strip.dataset.beeps = String(Number(strip.dataset.beeps ?? 0) + 1);
}

let now = { key: "", sound: "", waiting: 0, late: 0, words: "" };
let ringing = 0;
function ring() {
  clearTimeout(ringing);
  if (!now.sound) return;
  beep(now.sound);
  ringing = setTimeout(ring, REPEAT[now.sound]);
}
function label() {
  const select = strip.querySelector("[data-linkage-mute]");
  const quiet = Date.now() < until();
  if (!quiet && select.value !== "0" && select !== document.activeElement) select.value = "0";
  const line = strip.querySelector("[data-linkage-sound]");
  const words = quiet ? strip.dataset.quiet.replace("%s", new Date(until()).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }))
    : sound?.state === "running" ? "" : strip.dataset.touch;
  if (line.textContent !== words) line.textContent = words;
}
function count() {
  const link = document.querySelector(`.desk-bar nav a[href="${strip.dataset.home}"]`);
  if (!link) return;
  let badge = link.querySelector(".desk-count-badge");
  if (!badge) link.append(badge = Object.assign(document.createElement("span"), { className: "desk-count-badge" }));
  badge.textContent = now.waiting ? ` ${now.waiting}` : "";
}
function take(news) {
  const fresh = news.key !== now.key || news.sound !== now.sound;
  now = news;
  strip.hidden = !news.words;
  const words = strip.querySelector("[data-linkage-words]");
  if (words.textContent !== news.words) words.textContent = news.words;
  strip.querySelector("[data-linkage-open]").href = news.address;
  count();
  label();
  if (fresh) ring();
}

let failed = 0;
async function ask() {
  try {
    const answer = await fetch(strip.dataset.state, { headers: { "X-Requested-With": "fetch" }, cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) return;
    if (!answer.ok) throw new Error(answer.status);
    failed = 0;
    take(await answer.json());
  } catch {
    failed += 1;
    if (failed >= LOST) take({ ...now, key: "lost", words: strip.dataset.lost, sound: "", address: strip.dataset.home });
  }
}

// The lists of the page that is open. Nothing moves under somebody who is on one of its buttons.
const lists = document.querySelector("[data-linkage-lists]");
async function refresh() {
  if (!lists || document.hidden || lists.contains(document.activeElement)) return;
  try {
    const answer = await fetch(lists.dataset.linkageLists, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) return;
    const markup = await answer.text();
    if (lists.dataset.was === markup) return;
    lists.dataset.was = markup;
    lists.innerHTML = markup;
    tick();
  } catch { /* the network is away: again in a moment */ }
}
document.addEventListener("keydown", (event) => {
  if (!lists || event.isComposing || event.altKey || event.ctrlKey || event.metaKey || typing(event.target)) return;
  if (event.key !== "j" && event.key !== "k") return;
  const all = [...lists.querySelectorAll("[data-handover-row]")];
  const at = all.indexOf(document.activeElement);
  all[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), all.length - 1)]?.focus();
  event.preventDefault();
});

// Clocks: the server says how it stood, the page counts on. Not live regions: nobody wants to hear every second.
// Hours and days stand as the server said them.
const SHORT = 6000;
const length = (seconds) => `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
function tick() {
  for (const clock of document.querySelectorAll("[data-due]")) {
    const left = Math.round((Date.parse(clock.dataset.due) - Date.now()) / 1000);
    clock.classList.toggle("late", left < 0);
    if (Math.abs(left) < SHORT) clock.textContent = (left < 0 ? clock.dataset.late : clock.dataset.left).replace("%s", length(Math.abs(left)));
  }
}

if (strip) {
  strip.querySelector("[data-linkage-mute]").addEventListener("change", (event) => mute(Number(event.target.value)));
  window.lianxin.live?.on("linkage", () => { ask(); refresh(); });
  // Clocks run out without anything being told.
  setInterval(() => { ask(); refresh(); }, POLL);
  setInterval(() => { tick(); label(); }, 1000);
  ask();
  tick();
}
