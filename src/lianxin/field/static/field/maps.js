// The map of my grids: vector data the telephone holds, nothing fetched from elsewhere. It opens without a network.

import { around, bounds, features, placed } from "./geo.js";
import { h } from "./dom.js";
import { named, w } from "./words.js";

const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const collection = (list) => ({ type: "FeatureCollection", features: list });
const point = (thing, properties) => ({ type: "Feature", geometry: { type: "Point", coordinates: [thing.lon, thing.lat] }, properties });
const NEAR = 13.5, CLOSE = 14.5; // zooms from which places, and each of many grids, have names

const VENDOR = new URL("./vendor/", import.meta.url).href;

let styled;
const sheet = (href) => { styled ??= new Promise((done, fail) => { document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: fail })); }); return styled; };

// Opens a map in `box`. `data` is {grids, places, tasks}. Throws where the library cannot be had or there is no WebGL.
export async function openMap(box, { grids = [], places = [], tasks = [] }, { centre, zoom = 16, tapped } = {}) {
  const [maplibre] = await Promise.all([import("./vendor/maplibre-gl.mjs"), sheet(`${VENDOR}maplibre-gl.css`)]);
  maplibre.setWorkerUrl(`${VENDOR}maplibre-gl-worker.mjs`);
  const areas = features(grids), known = [...places, ...tasks].filter(placed);
  const frame = bounds(grids) ?? around(known);
  const map = new maplibre.Map({
    container: box, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, fadeDuration: 0,
    ...(centre ? { center: [centre.lon, centre.lat], zoom } : frame ? { bounds: frame, fitBoundsOptions: { padding: 24, maxZoom: 16 } } : { center: [113.1, 29.37], zoom: 9 }),
    locale: { "Map.Title": w("map.title"), "NavigationControl.ZoomIn": w("map.nearer"), "NavigationControl.ZoomOut": w("map.further") },
    style: {
      version: 8,
      sources: {
        grids: { type: "geojson", data: collection(areas) },
        places: { type: "geojson", data: collection(places.filter(placed).map((one) => point(one, { code: one.code }))) },
        tasks: { type: "geojson", data: collection(tasks.filter(placed).map((one) => point(one, { id: one.id, kind: one.kind }))) },
      },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": tone("--sunken") } },
        { id: "grid-fill", type: "fill", source: "grids", paint: { "fill-color": tone("--surface") } },
        { id: "grid-line", type: "line", source: "grids", paint: { "line-color": tone("--ink-2"), "line-width": 1.5 } },
        { id: "places", type: "circle", source: "places", minzoom: 11, paint: { "circle-radius": 4, "circle-color": tone("--ink-2") } },
        { id: "tasks", type: "circle", source: "tasks", paint: { "circle-radius": 11, "circle-color": tone("--accent"), "circle-stroke-color": tone("--surface"), "circle-stroke-width": 3 } },
      ],
    },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 90 }), "bottom-left");
  await new Promise((done, fail) => { if (map.loaded()) done(); else { map.once("load", done); map.once("error", fail); } });

  // Names as elements, each only where it lies on no other.
  const marks = [];
  const label = (thing, className) => new maplibre.Marker({ element: h("span", { class: `f-mapname ${className}` }, named(thing)) }).setLngLat([thing.lon, thing.lat]).addTo(map);
  const middle = ({ properties, geometry }) => {
    if (placed(properties)) return properties;
    const [[west, south], [east, north]] = bounds([{ geometry }]) ?? [[0, 0], [0, 0]];
    return { ...properties, lon: (west + east) / 2, lat: (south + north) / 2 };
  };
  const draw = () => {
    marks.splice(0).forEach((mark) => mark.remove());
    const shown = map.getBounds(), taken = [];
    const offer = (thing, className) => {
      if (!placed(thing) || marks.length >= 60 || !shown.contains([thing.lon, thing.lat])) return;
      const { x, y } = map.project([thing.lon, thing.lat]), half = named(thing).length * 8 + 4;
      if (taken.some((other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 22)) return;
      taken.push({ x, y, half });
      marks.push(label(thing, className));
    };
    for (const task of tasks.filter(placed)) { const { x, y } = map.project([task.lon, task.lat]); taken.push({ x, y, half: 14 }); }
    const zoom = map.getZoom(), many = areas.length > 12 && zoom < CLOSE;
    if (many) places.filter((one) => one.kind === "village").forEach((one) => offer(one, "area"));
    else areas.map(middle).forEach((one) => offer(one, "area"));
    if (zoom >= NEAR) places.forEach((one) => offer(one, ""));
  };
  map.on("moveend", draw);
  draw();
  if (tapped) {
    map.on("click", "tasks", ({ features: [feature] }) => tapped(feature.properties));
    map.on("mouseenter", "tasks", () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", "tasks", () => { map.getCanvas().style.cursor = ""; });
  }
  let mark;
  const here = (at) => { mark ??= new maplibre.Marker({ element: h("span", { class: "f-maphere" }) }); mark.setLngLat([at.lon, at.lat]).addTo(map); };
  box.dataset.open = "1";
  return { map, here };
}
