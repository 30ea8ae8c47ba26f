// Notifications of the browser for who wants them. Mail and feeds work without this script.

const form = document.getElementById("follow");
const part = document.querySelector("[data-push-part]");
const on = document.querySelector("[data-push-on]"), off = document.querySelector("[data-push-off]");
const status = document.querySelector("[data-push-said]");
const token = () => form.querySelector("input[name=csrfmiddlewaretoken]").value;
const scope = form.dataset.worker.replace(/[^/]*$/, "");

const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

async function tell(url, body) {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers: {
    "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token() } });
  const said = await answer.json();
  status.textContent = said.detail;
  return answer.ok;
}

async function held() {
  const registration = await navigator.serviceWorker.getRegistration(scope);
  return registration?.pushManager.getSubscription();
}

async function ask() {
  if (await Notification.requestPermission() !== "granted") { status.textContent = form.dataset.denied; return; }
  const registration = await navigator.serviceWorker.register(form.dataset.worker, { scope, updateViaCache: "none" });
  while (!registration.active) await new Promise((go) => setTimeout(go, 50));
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true, applicationServerKey: octets(form.dataset.key) });
  const values = Object.fromEntries(new FormData(form));
  const { area, category, pace } = values;
  if (await tell(form.dataset.push, { subscription: subscription.toJSON(), area, category, pace })) off.hidden = false;
}

async function leave() {
  const subscription = await held();
  if (!subscription) { off.hidden = true; return; }
  if (await tell(form.dataset.end, { endpoint: subscription.endpoint })) { await subscription.unsubscribe(); off.hidden = true; }
}

const safely = (run) => async () => {
  on.disabled = off.disabled = true;
  try { await run(); } catch { status.textContent = form.dataset.failed; } finally { on.disabled = off.disabled = false; }
};

if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  part.hidden = false;
  on.addEventListener("click", safely(ask));
  off.addEventListener("click", safely(leave));
  held().then((found) => { off.hidden = !found; }).catch(() => {});
}

// The feed's address says what is chosen.
const link = document.querySelector("[data-feed]");
form.addEventListener("change", () => {
  const { area, category } = Object.fromEntries(new FormData(form));
  const path = [area && `area/${area}`, category && `category/${category}`].filter(Boolean).join("/") || "all";
  const address = new URL(`/feeds/${path}.atom`, link.href);
  link.href = address.href;
  link.firstElementChild.textContent = address.href;
});
