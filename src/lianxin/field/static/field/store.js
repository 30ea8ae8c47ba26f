// Rows of the store, sealed on the way in and opened on the way out, and how much room there is for them.

import { all, get, put, remove, within, answer } from "./db.js";
import { emit } from "./events.js";
import { open, seal } from "./vault.js";
import { w } from "./words.js";

const RESERVE = 3_000_000;  // bytes kept free: the sections a worker needs tomorrow, and the answers to what waits
const SCARCE = 0.85;        // of the quota: from here on the worker is told

// What could not be kept, said so that the worker knows what to do.
export class StoreFault extends Error {
  constructor(code, values) { super(w(`store.${code}`, values)); this.code = code; }
}

// Bytes left, after the reserve; null where the browser does not say.
export async function space() {
  const { quota, usage } = await navigator.storage?.estimate?.() ?? {};
  return quota === undefined ? null : { left: Math.max(0, quota - usage - RESERVE), scarce: usage > quota * SCARCE || quota - usage < 2 * RESERVE };
}
export async function watch() {
  const room = await space();
  if (room) emit("space", room);
}
// Raises space_full when `size` bytes would not fit: said before anything is written.
export async function roomFor(size) {
  const room = await space();
  if (room && room.left < size * 1.1) throw new StoreFault("space_full");
}
// Whatever the browser says when it could not write, in words; what was there is untouched.
export async function kept(work) {
  try { return await work(); } catch (fault) {
    if (fault instanceof StoreFault) throw fault;
    if (fault?.code === "locked") throw new StoreFault("locked");
    if (fault?.name === "QuotaExceededError") { watch(); throw new StoreFault("space_full"); }
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
