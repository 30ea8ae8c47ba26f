// The telephone's own store: IndexedDB, everything of meaning in it sealed (vault.js). Plain are only ids, order, state, sizes and names of stores.

export const NAME = "lianxin-field";
// One step a version, never changed once it was released: a telephone may come from any of them with a queue that waits.
export const STEPS = [
  (db) => {
    db.createObjectStore("meta", { keyPath: "name" });       // the vault's keys, wrapped; wrong tries
    db.createObjectStore("items", { keyPath: "id" }).createIndex("seq", "seq");
    db.createObjectStore("blobs", { keyPath: "id" }).createIndex("item", "item");
    db.createObjectStore("sections", { keyPath: "name" });
    db.createObjectStore("drafts", { keyPath: "name" });
  },
];
let opened = null, stale = () => {};

// A store made by a newer version of the application: this one must not write to it.
export class NewerStore extends Error {}
// `listener` hears that a newer version wants the store: this tab has let go of it and can only be loaded again.
export const whenStale = (listener) => { stale = listener; };

export function database() {
  opened ??= new Promise((done, fail) => {
    const request = indexedDB.open(NAME, STEPS.length);
    request.onupgradeneeded = ({ oldVersion }) => {
      for (const step of STEPS.slice(oldVersion)) step(request.result, request.transaction);
    };
    request.onsuccess = () => {
      const db = request.result;
      db.onversionchange = () => { db.close(); opened = null; stale(); };
      db.onclose = () => { opened = null; };
      done(db);
    };
    request.onerror = () => { opened = null; fail(request.error.name === "VersionError" ? new NewerStore() : request.error); };
  });
  return opened;
}
export const answer = (request) => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

// Runs `work(store, store, …)` in one transaction and resolves when it is on the disk: all of it or nothing. `work` may only await the
// store's own requests.
export async function within(names, mode, work) {
  const db = await database();
  const transaction = db.transaction(names, mode, mode === "readwrite" ? { durability: "strict" } : undefined);
  const done = new Promise((kept, fail) => {
    transaction.oncomplete = kept;
    transaction.onabort = () => fail(transaction.error ?? new DOMException("", "AbortError"));
  });
  done.catch(() => {});
  let result;
  try {
    result = await work(...names.map((name) => transaction.objectStore(name)));
  } catch (fault) {
    try { transaction.abort(); } catch { /* it has ended by itself */ }
    throw transaction.error ?? fault;
  }
  await done;
  return result;
}
export const get = (name, key) => within([name], "readonly", (store) => answer(store.get(key)));
export const all = (name) => within([name], "readonly", (store) => answer(store.getAll()));
export const put = (name, row) => within([name], "readwrite", (store) => answer(store.put(row)));
export const remove = (name, key) => within([name], "readwrite", (store) => answer(store.delete(key)));

// Everything goes: a worker who signs out, or who begins anew.
export async function wipe() {
  const db = await database();
  await within([...db.objectStoreNames], "readwrite", (...stores) => { stores.forEach((store) => store.clear()); });
}
