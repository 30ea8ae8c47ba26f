// Rows of the store, sealed on the way in and opened on the way out, and how much room there is for them.

import { all, get, put, remove, within, answer } from "./db.js";
import { emit } from "./events.js";
import { exists, open, seal } from "./vault.js";
import { w } from "./words.js";

const RESERVE = 3_000_000;  // bytes kept free: for what is being done when the room ends, and for the answers to what waits
const SCARCE = 0.85;        // of the quota: from here on the worker is told
const BALLAST = "ballast";

// What could not be kept, said so that the worker knows what to do.
export class StoreFault extends Error {
  constructor(code, values) { super(w(`store.${code}`, values)); this.code = code; }
}

// Bytes left by the browser's own count; infinite where it does not say. Some say more than there is, so that nobody is known by it.
async function left() {
  const { quota, usage } = await navigator.storage?.estimate?.() ?? {};
  return quota === undefined ? { left: Infinity, scarce: false } : { left: Math.max(0, quota - usage), scarce: usage > quota * SCARCE || quota - usage < 2 * RESERVE };
}
// Room that is taken before it is needed: where the count cannot be trusted it is the one sure sign that the room ends, and with it
// given up the item in hand can still be kept. It is taken again when the queue is empty.
export async function takeBallast() {
  if (await ballast()) return;
  const bytes = new Uint8Array(RESERVE);  // random: nothing packs it
  for (let at = 0; at < RESERVE; at += 60_000) crypto.getRandomValues(bytes.subarray(at, at + 60_000));
  try { await put("meta", { name: BALLAST, bytes }); } catch { /* there is no room: told by its absence */ }
}
const ballast = () => within(["meta"], "readonly", (meta) => answer(meta.getKey(BALLAST)));

// Tells the worker when the room ends, and when there is enough again.
export async function watch() {
  emit("space", { scarce: (await left()).scarce || ((await exists()) && !(await ballast())) });
}
// Raises space_full when `size` bytes would not fit: said before anything is written.
export async function roomFor(size) {
  if ((await left()).left < size * 1.1 + ((await ballast()) ? 0 : RESERVE / 3)) throw new StoreFault("space_full");
}
// Runs `work`, which writes; once more without the ballast. Whatever the browser says when it could not write, in words; what was there
// is untouched.
export async function kept(work) {
  try { return await work(); } catch (fault) {
    if (fault?.name === "QuotaExceededError" && await ballast()) {
      await remove("meta", BALLAST);
      watch();
      return kept(work);
    }
    if (fault instanceof StoreFault) throw fault;
    if (fault?.code === "locked") throw new StoreFault("locked");
    if (fault?.name === "QuotaExceededError") throw new StoreFault("space_full");
    console.error(fault);
    throw new StoreFault("write_failed");
  }
}

export async function putSealed(store, name, value) {
  const sealed = await seal(value, `${store}:${name}`);
  return kept(() => put(store, { name, sealed }));
}
export async function getSealed(store, name) {
  const row = await get(store, name);
  return row ? open(row.sealed, `${store}:${name}`) : undefined;
}
export const removeSealed = (store, name) => remove(store, name);
export const names = async (store) => (await all(store)).map((row) => row.name);

// Several rows of one store at once, all or none.
export async function putEverySealed(store, values) {
  const rows = await Promise.all(Object.entries(values).map(async ([name, value]) => ({ name, sealed: await seal(value, `${store}:${name}`) })));
  await kept(() => within([store], "readwrite", (rowsOf) => Promise.all(rows.map((row) => answer(rowsOf.put(row))))));
}
