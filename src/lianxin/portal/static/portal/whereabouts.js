// Where am I, on the device alone: boundaries are fetched, the position never leaves.

const box = document.querySelector("[data-whereabouts]");
const said = box?.querySelector("[data-whereabouts-said]");

function crosses([x, y], ring) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i], [xj, yj] = ring[j];
    if ((yi > y) !== (yj > y) && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
const within = (point, polygon) => crosses(point, polygon[0]) && !polygon.slice(1).some((hole) => crosses(point, hole));
const holds = (point, { type, coordinates }) => (type === "Polygon" ? [coordinates] : coordinates).some((polygon) => within(point, polygon));

async function layer(address) {
  const answer = await fetch(box.dataset.layers + address);
  return answer.ok ? (await answer.json()).features : [];
}
// A district laid over a county goes before the county proper.
const find = (features, point) => features.filter((one) => holds(point, one.geometry))
  .sort((a, b) => Number(b.properties.overlay || 0) - Number(a.properties.overlay || 0))[0];

async function area(point) {
  const county = find(await layer("counties.geojson"), point);
  if (!county) return "";
  let found = county.properties.code;
  for (let depth = 0; depth < 2; depth++) {
    const below = find(await layer(`within/${encodeURIComponent(found)}.geojson`), point);
    if (!below || !["town", "village"].includes(below.properties.level)) break;
    found = below.properties.code;
  }
  return found;
}

box?.querySelector("[data-whereabouts-go]").addEventListener("click", () => {
  said.textContent = box.dataset.looking;
  const failed = () => { said.textContent = box.dataset.failed; };
  if (!navigator.geolocation) { failed(); return; }
  navigator.geolocation.getCurrentPosition(async ({ coords }) => {
    try {
      const code = await area([coords.longitude, coords.latitude]);
      if (code) location.assign(`${box.dataset.areas}${encodeURIComponent(code)}/`);
      else said.textContent = box.dataset.outside;
    } catch { failed(); }
  }, failed, { timeout: 15000, maximumAge: 300000 });
});
