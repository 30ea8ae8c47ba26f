// Keeps one whole version of the application and answers from it. `APP` stands before this text: version, shell, base, files.

const CACHE = `lianxin-field-${APP.version}`, PREFIX = "lianxin-field-";

// All or nothing, each file checked against its digest: a mixture of versions is never kept.
async function keep() {
  const cache = await caches.open(CACHE);
  await Promise.all(APP.files.map(async ([address, integrity]) => {
    if (await cache.match(address, { ignoreVary: true })) return;
    const answer = await fetch(address, { cache: "no-cache", ...(integrity ? { integrity } : {}) });
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
    event.respondWith(caches.match(request, { ignoreVary: true }).then((kept) => kept ?? fetch(request)));
  }
});

// The network is back. What waits is sealed: only an application that is open and unlocked can send it.
self.addEventListener("sync", (event) => event.waitUntil(self.clients.matchAll({ type: "window" })
  .then((open) => open.forEach((client) => client.postMessage({ type: "sync" })))));
self.addEventListener("message", ({ data }) => { if (data?.type === "update") self.skipWaiting(); });
