// Sends what waits, in order, and fetches what is new. One at a time over all tabs; whatever goes wrong leaves the queue whole.

import { data } from "./data.js";
import { emit, on } from "./events.js";
import { markSending, queue, takeSending } from "./queue.js";
import { takeBallast, watch } from "./store.js";
import { FileLost, UploadFault, upload } from "./upload.js";
import { held, unlocked } from "./vault.js";
import { language, w } from "./words.js";

const LOCK = "lianxin-field-sync";
const MOST = 20;                               // items in one request: an answer within seconds
const FIRST = 2_000, LONGEST = 300_000;        // milliseconds of back-off, doubled each time, half of it by chance
const FRESH = 10 * 60_000;                     // milliseconds: an open application asks again
const SILENCE = 30_000;                        // milliseconds without an answer are none
const FINAL = new Set([400, 403, 413, 415, 422]);  // the server will not take this file, however often it is sent
let state = { phase: "idle", at: null }, failures = 0, timer = 0, running = null, again = false, wished = false;

export const status = () => state;
function phase(name, more = {}) { state = { phase: name, at: new Date().toISOString(), ...more }; emit("sync", state); }

class Answer extends Error { constructor(status, problem, after) { super(`${status}`); Object.assign(this, { status, problem, after }); } }

async function ask(path, { silence = SILENCE, ...options } = {}) {
  const answer = await fetch(`/api/v1/field/${path}`, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(silence), ...options,
    headers: { Authorization: `Bearer ${held().secret}`, Accept: "application/json", "Accept-Language": language(), ...(options.body ? { "Content-Type": "application/json" } : {}) } });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Answer(answer.status, problem, Number(answer.headers.get("Retry-After")) || 0);
}

// What the server will never take as it is – or this telephone cannot read any more – must not hold back what comes after it: it is
// shown to the worker, who makes it anew. The server has no receipt of it.
const putAside = (item, problem) => queue.answered(item.id, "refused", { local: true, problem });

// The pictures of an item, one after the other; false when the item was put aside.
async function sendFiles(item) {
  for (const file of item.files) {
    try {
      await upload(file, held().secret, { silence: SILENCE, progress: (sent, whole) => emit("progress", { item: item.id, file: file.id, sent, whole }) });
    } catch (fault) {
      if (fault instanceof FileLost) return putAside(item, { code: "file_lost", detail: w("sync.file_lost") }).then(() => false);
      if (!(fault instanceof UploadFault) || !FINAL.has(fault.status)) throw fault;
      return putAside(item, { code: "file_refused", ...fault.problem }).then(() => false);
    }
  }
  return true;
}
const asSent = ({ id, kind, made_at, body, files, settles }) => ({ id, kind, made_at, body, files: files.map((file) => ({ id: file.id, role: file.role })), ...(settles ? { settles } : {}) });

async function takeResult(result) {
  if (result.status === "waiting") {
    for (const id of result.problem?.files ?? result.problem?.current?.files ?? []) await queue.upload.at(id, "");
    throw new Answer(503, result.problem, 0);
  }
  await queue.answered(result.id, result.status, { answer: result.answer ?? null, problem: result.problem ?? null });
}
// The next items whose files are all there, up to the first one with files. `late` is why the one after them has to wait: a file that
// does not get through holds back what comes after it, not what came before.
async function ready(unsent, most) {
  const batch = [];
  for (const item of unsent.slice(0, most)) {
    markSending([...batch.map((one) => one.id), item.id]);
    try { if (await sendFiles(item)) batch.push(item); } catch (late) { return { batch, late }; }
    if (item.files.length) break;
  }
  return { batch, late: null };
}
async function push() {
  for (let most = MOST; ;) {
    const unsent = (await queue.list()).filter((item) => item.state === "unsent" || item.state === "sending");
    if (!unsent.length) return;
    const { batch, late } = await ready(unsent, most);
    if (batch.length) {
      let results;
      try {
        ({ results } = await ask("items", { method: "POST", body: JSON.stringify({ sent_at: new Date().toISOString(),
          version: document.documentElement.dataset.version, waiting: unsent.length, items: batch.map(asSent) }) }));
      } catch (fault) {
        if (!FINAL.has(fault.status) || fault.status === 403) throw fault;
        if (batch.length === 1) await putAside(batch[0], fault.problem);
        most = 1;  // one of them cannot be read: one by one it is found
        continue;
      }
      for (const result of results) await takeResult(result);
      if (results.length < batch.length) throw new Answer(502, { code: "unanswered" }, 0);
    }
    if (late) throw late;
  }
}
async function pull() {
  const cursor = await data.cursor();
  await data.take(await ask(`changes${cursor ? `?since=${encodeURIComponent(cursor)}` : ""}`, { silence: 4 * SILENCE }));
}

function later(after = 0) {
  failures += 1;
  const pause = Math.min(LONGEST, FIRST * 2 ** (failures - 1));
  plan(Math.max(after * 1000, pause / 2 + Math.random() * pause / 2));
}
function plan(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(sync, milliseconds);
}
// Asks the browser to wake the application when the network is back; once for each time without one, since it may answer at once.
async function wish() {
  if (wished || navigator.onLine) return;
  wished = true;
  try { await (await navigator.serviceWorker?.getRegistration("/field/"))?.sync?.register("queue"); } catch { /* not every browser has it */ }
}
// The server will not hear this telephone. It asks again now and then: a telephone that was found is given back.
function refused(code) {
  plan(LONGEST);
  return phase({ account_closed: "closed", no_field_role: "closed", device_unknown: "unknown" }[code] ?? "shut_out", { code });
}
function failed(fault) {
  const code = fault?.problem?.code;
  if (fault?.status === 401 || code === "no_field_role") return refused(code);
  if (fault?.code === "locked") return phase("locked");
  const answered = fault instanceof Answer || (fault instanceof UploadFault && fault.status);
  later(fault?.after);
  wish();
  return phase(answered ? "failed" : "offline", { code });
}
async function once() {
  phase("sending");
  try {
    await push();
    markSending([]);
    await queue.prune();
    await pull();
    await takeBallast();
    watch();
    failures = 0;
    wished = false;
    phase("idle");
    plan(FRESH);
  } catch (fault) {
    markSending([]);
    if (!(fault instanceof Answer || fault instanceof UploadFault || fault?.name === "TypeError" || fault?.name === "TimeoutError")) console.warn(fault);
    failed(fault);
  }
}

// Resolves when what waits now was tried, whatever came of it: while another tab is at it, after that one.
export function sync() {
  if (!unlocked()) return Promise.resolve(state);
  again = running !== null;
  running ??= (async () => {
    try {
      do { again = false; await navigator.locks.request(LOCK, once); } while (again && state.phase === "idle");
    } finally { running = null; }
    return state;
  })();
  return running;
}
// Resolves when nothing is under way.
export const rest = () => running ?? Promise.resolve(state);

on("added", () => { failures = 0; sync(); });
on("unlocked", () => sync());
on("change", ({ sending }) => { if (sending) takeSending(sending); });
addEventListener("online", () => { failures = 0; sync(); });
addEventListener("offline", () => phase("offline"));
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") sync(); });
navigator.serviceWorker?.addEventListener("message", ({ data: said }) => { if (said?.type === "sync") sync(); });
