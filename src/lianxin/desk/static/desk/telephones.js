// 话务: the figures are fetched anew when something has changed, once a second at most; waiting times run on.
const place = document.getElementById("telephones");
let began = Date.now();
let waiting = 0;

async function look() {
  const answer = await fetch(place.dataset.part, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  if (!answer?.ok) return;
  place.innerHTML = await answer.text();
  began = Date.now();
}
function soon() {
  if (waiting) return;
  waiting = setTimeout(() => { waiting = 0; if (!document.hidden) look(); }, 1000);
}
window.lianxin.live.on("queue", soon);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
setInterval(() => {
  const longest = place.querySelector("[data-runs]");
  if (!longest) return;
  const seconds = Number(longest.dataset.wait) + Math.floor((Date.now() - began) / 1000);
  longest.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}, 1000);
