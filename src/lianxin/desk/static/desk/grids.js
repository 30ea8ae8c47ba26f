// The grids of one village on a map: a line is drawn to cut, two grids are tapped to merge, corners are dragged. What the map does
// is written into the form beside it, and what is typed there is drawn: the form alone is sent.

const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const wait = (url) => fetch(url).then((answer) => { if (!answer.ok) throw new Error(url); return answer.json(); });
const all = (features) => ({ type: "FeatureCollection", features });
const point = (at, properties = {}) => ({ type: "Feature", properties, geometry: { type: "Point", coordinates: at } });
const key = (at) => `${at[0].toFixed(6)},${at[1].toFixed(6)}`;
const hint = (words) => { const line = document.querySelector("[data-grid-hint]"); if (line && words) line.textContent = words; };

function sheet(href) {
  return new Promise((done, fail) => document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: done, onerror: fail })));
}
function corners(geometry, each) {
  const walk = (part) => { if (typeof part[0] === "number") each(part); else part.forEach(walk); };
  walk(geometry.coordinates);
}
function frame(collection) {
  let [west, south, east, north] = [180, 90, -180, -90];
  collection.features.forEach((one) => corners(one.geometry, ([x, y]) => {
    west = Math.min(west, x); east = Math.max(east, x); south = Math.min(south, y); north = Math.max(north, y);
  }));
  return [[west, south], [east, north]];
}
function read(text) {
  return text.split(/[\n;；]/).map((part) => part.trim().match(/^(-?\d+(?:\.\d+)?)[\s,，]+(-?\d+(?:\.\d+)?)$/))
    .filter(Boolean).map((found) => [Number(found[1]), Number(found[2])]);
}

async function start(box) {
  const canvas = box.querySelector("[data-map-canvas]");
  const [library, held] = await Promise.all([import(box.dataset.library), wait(box.dataset.grids), sheet(box.dataset.style)]);
  library.setWorkerUrl(new URL(box.dataset.worker, location.href).href);
  const faults = box.dataset.faults ? JSON.parse(box.dataset.faults) : all([]);
  let grids = structuredClone(held.grids);
  const source = (data) => ({ type: "geojson", data });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = new library.Map({
    container: canvas, bounds: frame(held.village.features.length ? held.village : grids), fitBoundsOptions: { padding: 24, animate: !calm },
    attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, fadeDuration: 0, doubleClickZoom: false,
    locale: { "Map.Title": box.dataset.name, "NavigationControl.ZoomIn": box.dataset.zoomIn, "NavigationControl.ZoomOut": box.dataset.zoomOut },
    style: {
      version: 8,
      sources: { around: source(all([])), village: source(held.village), grids: source(grids), faults: source(faults), line: source(all([])), corners: source(all([])) },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": tone("--sunken") } },
        { id: "around", type: "line", source: "around", paint: { "line-color": tone("--line-strong"), "line-width": 0.7, "line-dasharray": [2, 2] } },
        { id: "fill", type: "fill", source: "grids", paint: { "fill-color": tone("--surface") } },
        { id: "chosen", type: "fill", source: "grids", filter: ["in", ["get", "code"], ["literal", []]], paint: { "fill-color": tone("--accent-soft") } },
        { id: "borders", type: "line", source: "grids", paint: { "line-color": tone("--accent"), "line-width": 1.6 } },
        { id: "village", type: "line", source: "village", paint: { "line-color": tone("--ink"), "line-width": 2.4 } },
        { id: "faults", type: "fill", source: "faults", paint: { "fill-color": tone("--vermilion"), "fill-opacity": 0.45 } },
        { id: "fault-lines", type: "line", source: "faults", paint: { "line-color": tone("--vermilion"), "line-width": 3 } },
        { id: "cut", type: "line", source: "line", paint: { "line-color": tone("--vermilion"), "line-width": 3, "line-dasharray": [2, 1] } },
        { id: "cut-points", type: "circle", source: "line", paint: { "circle-color": tone("--vermilion"), "circle-radius": 5 } },
        { id: "corners", type: "circle", source: "corners", paint: { "circle-color": tone("--surface"), "circle-stroke-color": tone("--accent"), "circle-stroke-width": 2.5, "circle-radius": 6 } },
      ],
    },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new library.NavigationControl({ showCompass: false }));
  map.addControl(new library.ScaleControl({ maxWidth: 90 }));
  box.map = map;
  await new Promise((done) => { if (map.loaded()) done(); else map.once("load", done); });
  if (held.around) wait(held.around).then((around) => map.getSource("around").setData(around)).catch(() => {});
  for (const one of grids.features) {
    const name = Object.assign(document.createElement("span"), { className: "portal-map-name strong", textContent: one.properties.name });
    if (one.properties.lon !== null) new library.Marker({ element: name }).setLngLat([one.properties.lon, one.properties.lat]).addTo(map);
  }

  const steps = [...document.querySelectorAll("[data-step]")];
  const form = (name) => steps.find((one) => one.dataset.step === name).querySelector("form");
  const open = () => steps.find((one) => one.open)?.dataset.step || "";
  const typed = { line: form("split").elements.line, features: form("redraw").elements.features };
  const outline = new Set();
  held.village.features.forEach((one) => corners(one.geometry, (at) => outline.add(key(at))));

  // Cutting: the points of the line, in the form as text.
  const drawLine = () => {
    const points = open() === "split" ? read(typed.line.value) : [];
    const line = points.length > 1 ? [{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: points } }] : [];
    map.getSource("line").setData(all([...line, ...points.map((at) => point(at))]));
    canvas.dataset.points = String(points.length);
  };
  const write = (points) => { typed.line.value = points.map((at) => `${at[0].toFixed(6)},${at[1].toFixed(6)}`).join("\n"); drawLine(); };
  const cutAt = ({ lng, lat }) => {
    const points = [...read(typed.line.value), [lng, lat]];
    form("split").elements.system.value = "wgs84";
    write(points);
    const select = form("split").elements.grid;
    if (points.length > 1 && !select.dataset.chosen) {
      const [a, b] = points.slice(-2);
      const code = map.queryRenderedFeatures(map.project([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]), { layers: ["fill"] })[0]?.properties.code;
      if (code) { select.value = code; show(); }
    }
  };
  // Merging: the first grid stays, the second comes to it.
  const mergeAt = (lngLat) => {
    const code = map.queryRenderedFeatures(map.project(lngLat), { layers: ["fill"] })[0]?.properties.code;
    if (!code) return;
    const { grid, other } = form("merge").elements;
    if (!grid.value || other.value) { grid.value = code; other.value = ""; } else if (grid.value !== code) other.value = code;
    show();
  };
  const pick = (lngLat) => { if (open() === "split") cutAt(lngLat); else if (open() === "merge") mergeAt(lngLat); };
  map.on("click", (event) => pick(event.lngLat));
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); pick(map.getCenter()); }
    if (event.key === "Backspace" && open() === "split") { event.preventDefault(); write(read(typed.line.value).slice(0, -1)); }
  });

  // Dragging: a corner that several grids share moves in all of them, so that no gap opens between them.
  const drawCorners = () => {
    const found = new Map();
    if (open() === "redraw") grids.features.forEach((one) => corners(one.geometry, (at) => { if (!outline.has(key(at))) found.set(key(at), point(at, { key: key(at) })); }));
    map.getSource("corners").setData(all([...found.values()]));
    canvas.dataset.corners = String(found.size);
  };
  const adopt = () => {
    try {
      const said = JSON.parse(typed.features.value);
      if (said.type !== "FeatureCollection" || !said.features.every((one) => one.geometry)) return;
      grids = said;
    } catch { return; }
    map.getSource("grids").setData(grids);
    drawCorners();
  };
  // A corner on the village's own border slides along it: off the border it would leave a gap.
  const edges = held.village.features.flatMap((one) => (one.geometry.type === "Polygon" ? [one.geometry.coordinates] : one.geometry.coordinates).flat())
    .flatMap((ring) => ring.slice(1).map((end, place) => [ring[place], end]));
  const nearest = ([x, y]) => {
    const flat = Math.cos(y * Math.PI / 180);
    let best = { far: Infinity, at: [x, y] };
    for (const [[ax, ay], [bx, by]] of edges) {
      const dx = (bx - ax) * flat, dy = by - ay;
      const share = Math.min(1, Math.max(0, ((x - ax) * flat * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      const at = [ax + (bx - ax) * share, ay + dy * share];
      const far = Math.hypot((x - at[0]) * flat, y - at[1]);
      if (far < best.far) best = { far, at };
    }
    return best;
  };
  let dragged = null, slides = false;
  const grab = (event) => {
    if (open() !== "redraw" || !event.features?.length) return;
    event.preventDefault();
    dragged = [];
    slides = nearest(event.features[0].properties.key.split(",").map(Number)).far < 0.00001;
    grids.features.forEach((one) => corners(one.geometry, (at) => { if (key(at) === event.features[0].properties.key) dragged.push(at); }));
  };
  const move = (event) => {
    if (!dragged) return;
    const [x, y] = slides ? nearest([event.lngLat.lng, event.lngLat.lat]).at : [event.lngLat.lng, event.lngLat.lat];
    dragged.forEach((at) => { at[0] = Number(x.toFixed(6)); at[1] = Number(y.toFixed(6)); });
    map.getSource("grids").setData(grids);
    drawCorners();
  };
  const drop = () => {
    if (!dragged) return;
    dragged = null;
    form("redraw").elements.system.value = "wgs84";
    typed.features.value = JSON.stringify(grids);
  };
  for (const [begin, go, end] of [["mousedown", "mousemove", "mouseup"], ["touchstart", "touchmove", "touchend"]]) {
    map.on(begin, "corners", grab);
    map.on(go, move);
    map.on(end, drop);
  }

  const show = () => {
    const name = open();
    const { grid, other } = name ? form(name).elements : {};
    map.setFilter("chosen", ["in", ["get", "code"], ["literal", [grid?.value, other?.value].filter(Boolean)]]);
    if (name !== "redraw") { grids = structuredClone(held.grids); map.getSource("grids").setData(grids); } else adopt();
    drawLine();
    drawCorners();
    map.getCanvas().style.cursor = name === "split" ? "crosshair" : name === "merge" ? "pointer" : "";
    canvas.dataset.step = name;
    hint(box.dataset[`hint${name[0]?.toUpperCase() ?? ""}${name.slice(1)}`]);
  };
  steps.forEach((one) => one.addEventListener("toggle", show));
  typed.line.addEventListener("input", drawLine);
  typed.features.addEventListener("change", adopt);
  for (const name of ["split", "merge", "rename"]) {
    form(name).elements.grid.addEventListener("change", (event) => { event.target.dataset.chosen = event.isTrusted ? "1" : ""; show(); });
    form(name).addEventListener("reset", () => setTimeout(() => { delete form(name).elements.grid.dataset.chosen; show(); }));
  }
  form("merge").elements.other.addEventListener("change", show);
  form("redraw").addEventListener("reset", () => setTimeout(show));
  if (faults.features.length) map.fitBounds(frame(faults), { padding: 80, maxZoom: 16, animate: false });
  show();
  canvas.dataset.open = "1";
}

for (const box of document.querySelectorAll("[data-grids]")) {
  start(box).catch(() => { box.querySelector("[data-map-canvas]").textContent = box.dataset.failed; });
}
