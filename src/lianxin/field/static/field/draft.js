// One thing being made: kept sealed on the telephone at every change, so that neither a dead battery nor a closed browser loses it.

import { drafts, on } from "./data.js";
import { queue } from "./queue.js";

const pending = new Map(); // writes under way, by draft: who opens one again waits for them

const encode = (blob) => new Promise((done, fail) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => fail(reader.error);
  reader.readAsDataURL(blob);
});
const decode = (data, type) => new Blob([Uint8Array.from(atob(data), (one) => one.charCodeAt(0))], { type });

async function clear(name, { files = [] }) {
  for (const { id } of files) await drafts.remove(`${name}/${id}`);
  await drafts.remove(name);
}
// The same item in the queue: it was handed over just before the application was killed.
async function handed(kept) {
  const { at, kind, body } = kept?.value.handing ?? {};
  return Boolean(at) && (await queue.list()).some((one) => one.kind === kind && one.made_at >= at && JSON.stringify(one.body) === body);
}

// `files` is {role: [blobs]}, its arrays are changed in place; `value` is everything else. `save` waits a moment, `flush` does not.
// `broken` hears a fault of writing. A file is written once, beside the draft that names it.
export async function openDraft(name, value, roles, broken = () => {}) {
  await pending.get(name);
  let kept = await drafts.get(name);
  if (await handed(kept)) { await clear(name, kept); kept = undefined; }
  const files = Object.fromEntries(roles.map((role) => [role, []])), ids = new Map();
  for (const { id, role, type } of kept?.files ?? []) {
    const row = await drafts.get(`${name}/${id}`);
    if (!row || !files[role]) continue;
    const blob = decode(row.data, type);
    ids.set(blob, id);
    files[role].push(blob);
  }
  const draft = { value: { ...value, ...kept?.value }, files, found: Boolean(kept) };
  delete draft.value.handing;
  let timer = null, writing = Promise.resolve(), gone = false;
  const all = () => Object.entries(files).flatMap(([role, blobs]) => blobs.map((blob) => ({ role, blob })));
  const write = async () => {
    if (gone) return;
    const now = all();
    for (const { blob } of now) {
      if (ids.has(blob)) continue;
      const id = crypto.randomUUID();
      await drafts.put(`${name}/${id}`, { data: await encode(blob) });
      ids.set(blob, id);
    }
    await drafts.put(name, { value: draft.value, files: now.map(({ role, blob }) => ({ id: ids.get(blob), role, type: blob.type })) });
    for (const [blob, id] of ids) if (!now.some((one) => one.blob === blob)) { ids.delete(blob); await drafts.remove(`${name}/${id}`); }
  };
  draft.flush = () => { clearTimeout(timer); timer = null; writing = writing.then(write).catch(broken); pending.set(name, writing); return writing; };
  draft.save = () => { clearTimeout(timer); timer = setTimeout(draft.flush, 150); };
  draft.drop = async () => {
    clearTimeout(timer); timer = null; gone = true;
    await writing;
    await clear(name, { files: [...ids.values()].map((id) => ({ id })) });
  };
  // Into the queue, and only then out of the drafts. Raises what the queue raises; the draft is kept then.
  draft.hand = async (kind, body) => {
    draft.value.handing = { at: new Date().toISOString(), kind, body: JSON.stringify(body) };
    await draft.flush();
    try {
      const id = await queue.add(kind, body, all());
      await draft.drop().catch(() => {}); // it is known by what it handed over when it is opened again
      return id;
    } catch (fault) { delete draft.value.handing; draft.save(); throw fault; }
  };
  // Before the vault is locked: what cannot be written keeps the page as it is.
  const locking = on("locking", () => { writing = writing.then(write); return writing; });
  const hide = () => { if (timer) draft.flush(); };
  draft.close = () => { locking(); removeEventListener("pagehide", hide); document.removeEventListener("visibilitychange", hide); hide(); };
  addEventListener("pagehide", hide);
  document.addEventListener("visibilitychange", hide);
  return draft;
}
