// What the worker did, in order, until the server has answered. Durable before `add` resolves; nothing leaves the queue but by an answer or
// by the worker's own word.

import { all, answer, get, within } from "./db.js";
import { emit } from "./events.js";
import { StoreFault, kept, roomFor, watch } from "./store.js";
import { open, openBytes, seal, sealBytes, unlocked } from "./vault.js";

export const OPEN = new Set(["unsent", "conflict", "refused"]);
const SHOWN_DAYS = 7, SHOWN_MOST = 60;  // accepted items are shown as long, then forgotten
let sending = new Set();

const place = (id) => `items:${id}`;
const opened = async (row) => {
  const item = { ...(await open(row.sealed, place(row.id))), id: row.id, seq: row.seq, state: row.state };
  return item.state === "unsent" && sending.has(item.id) ? { ...item, state: "sending" } : item;
};
const sealedRow = async ({ id, seq, state, ...rest }) => ({ id, seq, state, sealed: await seal(rest, place(id)) });

// Which items are under way, in any tab: a state of the moment, never stored.
export function markSending(ids) { sending = new Set(ids); emit("change", { sending: [...sending] }); }
export const takeSending = (ids) => { sending = new Set(ids); };

async function add(kind, body, files = [], { settles, instead } = {}) {
  if (!unlocked()) throw new StoreFault("locked");
  await roomFor(files.reduce((sum, file) => sum + file.blob.size, 4_000));
  const id = crypto.randomUUID(), made_at = new Date().toISOString();
  const blobs = await Promise.all(files.map(async ({ blob }) => {
    const own = crypto.randomUUID();
    return { id: own, item: id, size: blob.size, url: "", sealed: await sealBytes(new Uint8Array(await blob.arrayBuffer()), `blobs:${own}`) };
  }));
  const listed = files.map(({ role, name, blob }, at) => ({ id: blobs[at].id, role, name: name || `${role}-${at + 1}`, type: blob.type, size: blob.size }));
  const row = await sealedRow({ id, seq: 0, state: "unsent", kind, body, files: listed, made_at, ...(settles ? { settles } : {}) });
  await kept(() => within(["items", "blobs"], "readwrite", async (items, pieces) => {
    const last = await answer(items.index("seq").openKeyCursor(null, "prev"));
    await answer(items.add({ ...row, seq: (last?.key ?? 0) + 1 }));
    await Promise.all(blobs.map((blob) => answer(pieces.add(blob))));
    if (instead) await drop(instead, items, pieces);
  }));
  emit("change", { item: id });
  emit("added");
  watch();
  return id;
}

async function drop(id, items, blobs) {
  items.delete(id);
  for (const key of await answer(blobs.index("item").getAllKeys(id))) blobs.delete(key);
}
const rows = async () => (await all("items")).sort((one, other) => one.seq - other.seq);
const list = async () => Promise.all((await rows()).map(opened));
const find = async (id) => { const row = await get("items", id); return row && opened(row); };

// Counts without opening anything: a locked telephone may show them.
async function counts() {
  const found = await all("items");
  return { unsent: found.filter((row) => row.state === "unsent").length, attention: found.filter((row) => row.state === "conflict" || row.state === "refused").length };
}

// An item made anew. The one before stays until the server has answered; one that the server has never seen goes with this write.
async function settle(old, kind, body, files = []) {
  const before = await find(old);
  return add(kind, body, files, before?.local ? { instead: old, settles: before.settles } : { settles: old });
}

// Gives an item up. One that the server has never answered goes at once; of one that it refused the server is told why.
async function abandon(id, why) {
  const item = await find(id);
  if (!item) return null;
  if (item.state !== "unsent" && item.state !== "sending" && !item.local) return add("abandon", { item: id, why }, [], { settles: id });
  // Never while it is on its way: the server might take what the worker believes is gone.
  return navigator.locks.request("lianxin-field-sync", async () => {
    const now = await find(id);
    if (now && (now.state === "unsent" || now.local)) await forget(id);
    return null;
  });
}
async function forget(id) {
  await within(["items", "blobs"], "readwrite", (items, blobs) => drop(id, items, blobs));
  emit("change", { item: id });
}

// What the server said. The pictures of an accepted item go; what an item was made anew from goes whatever the answer, since from then on
// the server keeps the new one.
async function answered(id, state, more) {
  const item = await find(id);
  if (!item) return;
  const unknown = more.problem?.code === "settles_unknown";
  const { id: _id, seq, state: _state, ...rest } = item;
  // Of a visit that arrived, the telephone keeps that it was made: whom, and what was said, the register has.
  if (state === "accepted" && rest.kind === "care_visit") rest.body = { outcome: rest.body.outcome };
  const row = await sealedRow({ id, seq, ...rest, ...more, state, answered_at: new Date().toISOString() });
  await kept(() => within(["items", "blobs"], "readwrite", async (items, blobs) => {
    if (rest.settles && !more.local && (!unknown || rest.kind === "abandon")) await drop(rest.settles, items, blobs);
    if (rest.kind === "abandon" && (state === "accepted" || unknown)) return drop(id, items, blobs);
    if (state === "accepted") await drop(id, items, blobs);
    return answer(items.put(row));
  }));
  emit("change", { item: id });
}
async function prune() {
  const done = (await rows()).filter((row) => row.state === "accepted").reverse();
  const before = Date.now() - SHOWN_DAYS * 86_400_000;
  for (const [at, row] of done.entries()) {
    if (at >= SHOWN_MOST || new Date((await opened(row)).answered_at).getTime() < before) await forget(row.id);
  }
}

async function file(id) {
  const row = await get("blobs", id);
  if (!row) return null;
  const item = await find(row.item);
  return new Blob([await openBytes(row.sealed, `blobs:${id}`)], { type: item?.files.find((one) => one.id === id)?.type ?? "" });
}
const upload = {
  get: (id) => get("blobs", id),
  async at(id, url) {
    await kept(() => within(["blobs"], "readwrite", async (blobs) => {
      const row = await answer(blobs.get(id));
      if (row) blobs.put({ ...row, url });
    }));
  },
};
export const queue = { add, list, find, counts, settle, abandon, answered, prune, file, upload };
