// What happened, to whoever asked: within this tab, and for what changes the store in the other tabs too.

const heard = new Map();
const line = "BroadcastChannel" in globalThis ? new BroadcastChannel("lianxin-field") : null;
const SHARED = new Set(["change", "sync", "sign-out"]);

// Returns what takes the listener away again. A listener that fails does not keep the others from hearing.
export function on(name, listener) {
  if (!heard.has(name)) heard.set(name, new Set());
  heard.get(name).add(listener);
  return () => heard.get(name).delete(listener);
}
function tell(name, detail) {
  return [...(heard.get(name) ?? [])].map(async (listener) => {
    try { await listener(detail); } catch (fault) { console.error(fault); throw fault; }
  });
}
export function emit(name, detail = {}) {
  if (line && SHARED.has(name)) line.postMessage({ name, detail });
  tell(name, detail).forEach((done) => done.catch(() => {}));
}
// Waits for every listener, at most `milliseconds`; false when one failed or was too slow.
export async function ask(name, milliseconds) {
  const late = new Promise((done) => { setTimeout(done, milliseconds, [{ status: "rejected" }]); });
  const answers = await Promise.race([Promise.allSettled(tell(name)), late]);
  return answers.every((one) => one.status === "fulfilled");
}
if (line) line.onmessage = ({ data }) => tell(data.name, data.detail).forEach((done) => done.catch(() => {}));
