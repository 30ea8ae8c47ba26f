// Keeps one whole version of the application and answers from it. `APP` stands before this text: version, shell, base, files.

const CACHE = `lianxin-field-${APP.version}`, PREFIX = "lianxin-field-";

const nameOf = (address) => address.slice(APP.base.length).replace(/^[^/]+\//, "");
async function digest(body) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}
// What the versions before kept, by the file's name: most of a new version is the old one, and need not be fetched again.
async function before() {
  const found = new Map();
  for (const cached of await caches.keys()) {
    if (!cached.startsWith(PREFIX) || cached === CACHE) continue;
    const cache = await caches.open(cached);
    for (const request of await cache.keys()) {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith(APP.base)) found.set(nameOf(pathname), () => cache.match(request, { ignoreVary: true }));
    }
  }
  return found;
}
async function copied(old, address, integrity) {
  const answer = integrity && await old.get(nameOf(address))?.();
  if (!answer) return null;
  const body = await answer.arrayBuffer();
  return await digest(body) === integrity ? new Response(body, { headers: { "Content-Type": answer.headers.get("Content-Type") } }) : null;
}
// All or nothing, each file checked against its digest: a mixture of versions is never kept.
async function keep() {
  const cache = await caches.open(CACHE), old = await before();
  await Promise.all(APP.files.map(async ([address, integrity]) => {
    if (await cache.match(address, { ignoreVary: true })) return;
    const answer = await copied(old, address, integrity) ?? await fetch(address, { cache: "no-cache", ...(integrity ? { integrity } : {}) });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    await cache.put(address, answer);
  }));
  const shell = await fetch(APP.shell, { cache: "no-store", credentials: "omit" });
  if (!shell.ok || !(await shell.clone().text()).includes(APP.version)) throw new Error("the shell is of another version");
  await cache.put(APP.shell, shell);
}
self.addEventListener("install", (event) => event.waitUntil(keep()));

// The version before stays until the next: another tab may still run on it.
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event, address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (request.mode === "navigate" && address.pathname === APP.shell) {
    event.respondWith(caches.open(CACHE).then((cache) => cache.match(APP.shell, { ignoreVary: true })).then((kept) => kept ?? fetch(request)));
  } else if (address.pathname.startsWith(APP.base) || address.pathname.endsWith(".webmanifest")) {
    // This version's own first; then the one before, for a window that still runs on it.
    event.respondWith(caches.open(CACHE).then((cache) => cache.match(request, { ignoreVary: true }))
      .then((kept) => kept ?? caches.match(request, { ignoreVary: true })).then((kept) => kept ?? fetch(request)));
  }
});

// The network is back. What waits is sealed: only an application that is open and unlocked can send it.
self.addEventListener("sync", (event) => event.waitUntil(self.clients.matchAll({ type: "window" })
  .then((open) => open.forEach((client) => client.postMessage({ type: "sync" })))));
self.addEventListener("message", ({ data }) => { if (data?.type === "update") self.skipWaiting(); });
