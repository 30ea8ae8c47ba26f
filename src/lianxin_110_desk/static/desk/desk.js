// The screen hears of every change (server-sent events, else by asking every five seconds) and reads the part anew that it shows.
"use strict";
document.documentElement.classList.add("scripted");
const words = document.body.dataset;
const board = document.getElementById("board");
const matter = document.getElementById("matter");
const title = document.title.replace(/^\(\d+\) /, "");

async function post(path, fields = {}, headers = {}) {
  return fetch(path, { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRFToken": words.token, ...headers } });
}

// When an offer is drawn it says so: on the element for who looks at the page, at the server for who measures.
const seen = new Map();
function mark(root = document) {
  for (const one of root.querySelectorAll(".offer[data-handover], [data-opened]")) {
    const id = one.dataset.handover;
    if (seen.has(id)) { one.dataset.visibleAt = seen.get(id); continue; }
    requestAnimationFrame(() => {
      if (document.visibilityState !== "visible" || seen.has(id) || !one.isConnected) return;
      const at = performance.timeOrigin + performance.now();
      seen.set(id, at);
      one.dataset.visibleAt = at;
      post(`/handovers/${id}/seen`, { at });
    });
  }
}

// A matter that is opened lies before a person: the other desk is told, once.
function opened() {
  const one = document.querySelector("[data-opened]");
  if (one && one.dataset.state === "offered" && document.visibilityState === "visible") {
    post(`/handovers/${one.dataset.opened}/acknowledge`, {}, { "X-By-Itself": "1" }).then(readMatter);
  }
}

// Sound, once a person has allowed it: two tones for an emergency until it is opened, one for any other offer.
const sound = document.getElementById("sound");
let audio = null;
const wanted = () => localStorage.getItem("sound") === "on";
function tone(pitch, after) {
  if (!audio || audio.state !== "running") return;
  const source = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + after;
  source.type = "square"; source.frequency.value = pitch;
  volume.gain.setValueAtTime(0.08, at); volume.gain.exponentialRampToValueAtTime(0.001, at + 0.35);
  source.connect(volume).connect(audio.destination);
  source.start(at); source.stop(at + 0.36);
}
function allow() {
  if (!wanted() || !("AudioContext" in window)) return;
  audio ??= new AudioContext();
  audio.resume();
}
function shown() {
  sound.hidden = !("AudioContext" in window);
  sound.textContent = wanted() ? words.soundOff : words.soundOn;
  sound.setAttribute("aria-pressed", String(wanted()));
}
sound.addEventListener("click", () => { localStorage.setItem("sound", wanted() ? "off" : "on"); shown(); allow(); if (wanted()) tone(660, 0); else audio?.suspend(); });
addEventListener("pointerdown", allow, { once: true });
addEventListener("keydown", allow, { once: true });
const alarmed = () => board?.querySelector(".offer[data-emergency][data-state=offered]") || document.querySelector("#alarm a");
setInterval(() => { if (wanted() && alarmed()) { tone(988, 0); tone(740, 0.3); } }, 1500);

function alarm(event) {
  if (event.kind !== "offer" || !event.new) return;
  if (!event.emergency) { tone(660, 0); return; }
  tone(988, 0); tone(740, 0.3);
  if (matter?.dataset.matter === event.matter) return;
  const link = document.createElement("a");
  link.href = `/matters/${event.matter}`; link.textContent = words.openWords;
  document.getElementById("alarm").replaceChildren(words.emergencyWords, link);
  document.getElementById("alarm").dataset.matter = event.matter;
}
function calm(event) {
  const bar = document.getElementById("alarm");
  if (event.matter === bar.dataset.matter && !(event.kind === "offer")) bar.replaceChildren();
}

// Reading anew: one at a time, and once more if something happened meanwhile.
function again(read) {
  let running = false, more = false;
  return async () => {
    if (running) { more = true; return; }
    running = true;
    do { more = false; try { await read(); } catch { /* the next event or the next five seconds bring it */ } } while (more);
    running = false;
  };
}
async function page(path) {
  const answer = await fetch(path, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}
const readBoard = again(async () => {
  const fresh = (await page(board.dataset.live)).body;
  const held = board.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  board.replaceChildren(...fresh.childNodes);
  if (held) board.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus();
  mark(board); tick();
  const waiting = board.querySelectorAll(".offer").length;
  document.title = waiting ? `(${waiting}) ${title}` : title;
});
const typed = () => [...matter.querySelectorAll("input:not([type=hidden]), textarea, select")].some((field) =>
  field.type === "checkbox" ? field.checked !== field.defaultChecked
    : field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected && (option.defaultSelected || option.index > 0))
      : field.value !== field.defaultValue);
const readMatter = again(async () => {
  const fresh = (await page(location.pathname)).getElementById("matter");
  if (!fresh) return;
  if (typed() || matter.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) {
    for (const part of [".ledger", "h1", "dl"]) matter.querySelector(part).replaceWith(fresh.querySelector(part));
  } else {
    const open = [...matter.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
    matter.replaceChildren(...fresh.childNodes);
    for (const one of matter.querySelectorAll("details > summary")) if (open.includes(one.textContent)) one.parentElement.open = true;
  }
  mark(); opened();
});
const readLine = again(async () => { document.getElementById("line").replaceChildren(...(await page("/part/line")).body.childNodes); });
function read(which) {
  if (board) readBoard();
  if (matter && (!which || which === matter.dataset.matter)) readMatter();
  readLine();
}

function tick() {
  for (const one of document.querySelectorAll("[data-due]")) {
    if (Date.parse(one.dataset.due) < Date.now() && !one.classList.contains("late")) { one.classList.add("late"); one.textContent = one.dataset.late; }
  }
}
setInterval(tick, 1000);

const live = document.getElementById("live");
let connected = false;
function listen() {
  const events = new EventSource("/stream");
  events.onopen = () => { connected = true; live.textContent = words.liveWords; read(); };  // what came before it was heard
  events.onerror = () => { connected = false; live.textContent = words.awayWords; if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000); };
  events.onmessage = (message) => { const event = JSON.parse(message.data); alarm(event); calm(event); read(event.matter); };
  addEventListener("pagehide", () => events.close(), { once: true });
}
setInterval(() => { if (!connected) read(); }, 5000);
document.addEventListener("visibilitychange", () => { mark(); opened(); });
shown(); mark(); opened(); tick(); listen();
