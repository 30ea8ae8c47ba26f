// What has changed, told by `lianxin live` as it happens; without it, asked every five seconds.
//
//   window.lianxin.live.on(topic, fn)      in any module script that stands behind this one
//   fn({ topic, …ids })   something of this topic has changed; `again: true` when news may have been missed and without ids
//
// One connection serves every tab of this browser (a shared worker): browsers allow six to a host. The page names where to ask for a
// token with <body data-live="/desk/live/token">. This file is both the page's part and the worker's.

const WAITS = [500, 1000, 2000, 5000, 10000];  // milliseconds between tries to connect

// The connection itself: asks for a token, listens, and comes back whatever happens. `heard` gets each message, `state` true and false.
function connection(tokenUrl, { heard, state }) {
  let source = null;
  let tries = 0;
  let timer = 0;
  function later() {
    source?.close();
    source = null;
    state(false);
    clearTimeout(timer);
    timer = setTimeout(open, WAITS[Math.min(tries, WAITS.length - 1)] * (0.75 + Math.random() / 2));
    tries += 1;
  }
  async function open() {
    let held;
    try {
      const answer = await fetch(tokenUrl, { headers: { "X-Requested-With": "fetch" }, cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) { state(false); return; }  // signed out: the page says so itself
      if (!answer.ok) { later(); return; }
      held = await answer.json();
    } catch { later(); return; }
    source = new EventSource(`${held.url}/live/stream?token=${encodeURIComponent(held.token)}`);
    const mine = source;
    source.addEventListener("ready", () => { tries = 0; state(true); heard({ again: true }); });
    source.addEventListener("message", (event) => heard(JSON.parse(event.data)));
    source.addEventListener("again", () => heard({ again: true }));
    source.addEventListener("renew", () => { if (source === mine) { mine.close(); open(); } });
    source.onerror = () => { if (source === mine) later(); };
  }
  open();
  return { again() { tries = 0; if (!source) { clearTimeout(timer); open(); } } };
}

const POLL = 5000;

if (typeof SharedWorkerGlobalScope !== "undefined" && self instanceof SharedWorkerGlobalScope) {
  const ports = new Set();
  let connected = false;
  let line = null;
  const send = (message) => { for (const port of ports) port.postMessage(message); };
  self.onconnect = (event) => {
    const port = event.ports[0];
    ports.add(port);
    port.onmessage = ({ data }) => {
      if (data.bye) { ports.delete(port); return; }
      line ??= connection(data.token, {
        heard: (message) => send({ message }),
        state: (on) => { connected = on; send({ connected: on }); },
      });
      if (data.again) line.again();
      port.postMessage({ connected });
    };
  };
} else {
  const listeners = new Map();
  let connected = false;
  function heard(message) {
    for (const [topic, fns] of listeners) {
      if (message.again || message.topic === topic) for (const fn of fns) fn({ ...message, topic });
    }
  }
  function state(now) {
    connected = now;
    document.documentElement.dataset.live = now ? "on" : "off";
  }
  setInterval(() => { if (!connected && !document.hidden) heard({ again: true, polled: true }); }, POLL);

  let started = false;
  function start() {
    const token = document.body.dataset.live;
    if (started || !token) return;
    started = true;
    state(false);
    if (typeof SharedWorker === "undefined") {
      const line = connection(token, { heard, state });
      addEventListener("online", () => line.again());
      return;
    }
    // Another person at this browser has a worker of their own.
    const worker = new SharedWorker(import.meta.url, { type: "module", name: `lianxin-live-${document.body.dataset.liveName ?? ""}` });
    worker.port.onmessage = ({ data }) => {
      if (data.message) heard(data.message);
      if ("connected" in data && data.connected !== connected) state(data.connected);
    };
    worker.port.start();
    worker.port.postMessage({ token });
    addEventListener("pagehide", () => worker.port.postMessage({ bye: true }));
    addEventListener("pageshow", (event) => { if (event.persisted) worker.port.postMessage({ token, again: true }); });
    addEventListener("online", () => worker.port.postMessage({ token, again: true }));
  }

  // Listen to a topic. `fn` is called once at the start too, when the first connection stands.
  function on(topic, fn) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(fn);
    start();
    return () => listeners.get(topic).delete(fn);
  }
  window.lianxin ??= {};
  window.lianxin.live = { on };
}
