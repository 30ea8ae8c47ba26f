// The map of hot issues: the same map as the portal's, opened at once.
for (const box of document.querySelectorAll("[data-map]")) {
  import(box.dataset.module).then((map) => map.open(box))
    .catch(() => { box.querySelector("[data-map-canvas]").textContent = box.dataset.failed; });
}
