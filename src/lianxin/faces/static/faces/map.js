// The map, loaded only when it is opened: our own boundaries, no tiles from elsewhere.

const wait = (url, options) => fetch(url, options).then((answer) => { if (!answer.ok) throw new Error(url); return answer.json(); });
const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function sheet(href) {
  return new Promise((done, fail) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: done, onerror: fail });
    document.head.append(link);
  });
}
function bounds(collection) {
  let [west, south, east, north] = [180, 90, -180, -90];
  const walk = (part) => {
    if (typeof part[0] === "number") {
      west = Math.min(west, part[0]); east = Math.max(east, part[0]); south = Math.min(south, part[1]); north = Math.max(north, part[1]);
    } else part.forEach(walk);
  };
  collection.features.forEach((feature) => walk(feature.geometry.coordinates));
  return [[west, south], [east, north]];
}
function label(text, className) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

// Circles from vector tiles with `n` cases each, `area` where all lie in one, `number` where it is one. Numbers stand on them as elements.
function tiled(library, map, box, calm, done) {
  const layers = ["groups", "cases"], compact = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" });
  map.addSource("cases", { type: "vector", url: new URL(box.dataset.tiles, location.href).href });
  for (const [name, bounds] of [["groups", { maxzoom: 13 }], ["cases", { minzoom: 13 }]]) {
    map.addLayer({ id: name, type: "circle", source: "cases", "source-layer": name, ...bounds, paint: {
      "circle-color": tone("--accent"), "circle-opacity": 0.85, "circle-stroke-color": tone("--surface"), "circle-stroke-width": 1.5,
      "circle-radius": ["interpolate", ["linear"], ["sqrt", ["get", "n"]], 1, 9, 10, 24, 100, 34] } });
    map.on("click", name, ({ features: [feature], lngLat }) => {
      const { n, number, area } = feature.properties;
      if (n === 1 && number) location.assign(`${box.dataset.list}${encodeURIComponent(number)}/`);
      else if (area && map.getZoom() >= 11) { const list = new URL(box.dataset.list, location.href); list.search = new URL(box.dataset.tiles, location.href).search; list.searchParams.set("area", area); location.assign(list); }
      else map[calm ? "jumpTo" : "easeTo"]({ center: lngLat, zoom: Math.min(map.getZoom() + 2, 16) });
    });
    map.on("mouseenter", name, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", name, () => { map.getCanvas().style.cursor = ""; });
  }
  const counts = [];
  const seen = () => [...new globalThis.Map(map.queryRenderedFeatures({ layers }).map((one) => [one.geometry.coordinates.join(), one])).values()];
  map.on("movestart", () => done(""));
  map.on("idle", () => {
    counts.splice(0).forEach((one) => one.remove());
    const features = seen();
    for (const { properties, geometry } of features.filter((one) => one.properties.n > 1).slice(0, 120)) {
      counts.push(new library.Marker({ element: label(compact.format(properties.n), "portal-map-count") }).setLngLat(geometry.coordinates).addTo(map));
    }
    done(features.length, features.map(({ geometry }) => geometry.coordinates.join()).sort().join(" "));
  });
  return () => seen().map(({ geometry }) => ({ ...map.project(geometry.coordinates), half: 16, high: 16 }));
}

// Opens `box`. With `settle(lon, lat)` a tap or Enter sets a place; without it what is public is drawn: `data-tiles`, or `data-points`: GeoJSON with `count` and `page` for where a tap leads.
export async function open(box, settle) {
  if (box.dataset.ready) return;
  box.dataset.ready = "1";
  const canvas = box.querySelector("[data-map-canvas]");
  const [library, counties] = await Promise.all([
    import(box.dataset.library), wait("/places/counties.geojson"), sheet(box.dataset.style),
  ]);
  library.setWorkerUrl(new URL(box.dataset.worker, location.href).href);
  const empty = { type: "FeatureCollection", features: [] };
  const map = new library.Map({
    container: canvas, bounds: bounds(counties), fitBoundsOptions: { padding: 16 }, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, touchPitch: false, fadeDuration: 0,
    locale: { "Map.Title": box.dataset.name, "NavigationControl.ZoomIn": box.dataset.zoomIn, "NavigationControl.ZoomOut": box.dataset.zoomOut },
    style: {
      version: 8,
      sources: { counties: { type: "geojson", data: counties }, towns: { type: "geojson", data: empty }, villages: { type: "geojson", data: empty } },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": tone("--sunken") } },
        { id: "county-fill", type: "fill", source: "counties", paint: { "fill-color": tone("--surface") } },
        { id: "village-line", type: "line", source: "villages", minzoom: 11, paint: { "line-color": tone("--line-strong"), "line-width": 0.7, "line-dasharray": [2, 2] } },
        { id: "town-line", type: "line", source: "towns", minzoom: 8, paint: { "line-color": tone("--line-strong"), "line-width": 1 } },
        { id: "county-line", type: "line", source: "counties", paint: { "line-color": tone("--ink-2"), "line-width": 1.6 } },
      ],
    },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new library.NavigationControl({ showCompass: false }));
  map.addControl(new library.ScaleControl({ maxWidth: 90 }));
  box.map = map;
  await new Promise((done) => { if (map.loaded()) done(); else map.once("load", done); });

  // Names as elements: 12 counties always, the towns and villages of what is near when one has come close.
  const names = [];
  const name = (feature, className, down) => names.push(new library.Marker({ element: label(feature.properties.name, className), offset: [0, down] })
    .setLngLat([feature.properties.lon, feature.properties.lat]).addTo(map));
  const placed = (feature) => feature.properties.lon !== null && feature.properties.lat !== null;
  const drawn = { towns: empty, villages: empty };
  const fetched = new globalThis.Map();
  const near = async (code) => {
    if (!fetched.has(code)) fetched.set(code, wait(`/places/within/${encodeURIComponent(code)}.geojson`).catch(() => empty));
    return fetched.get(code);
  };
  const inside = (source) => map.queryRenderedFeatures([map.project(map.getCenter())].flatMap((p) => [[p.x - 60, p.y - 60], [p.x + 60, p.y + 60]]), { layers: [source] });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  // Names that would lie on another's are left out; the county proper goes before the districts laid over it.
  let taken = [], gather = () => [];
  const place = (features, className, size) => {
    for (const one of features) {
      const { x, y } = map.project([one.properties.lon, one.properties.lat]), half = one.properties.name.length * size / 2 + 2;
      const free = (down) => !taken.some((other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y - down) < (other.high ?? 10) + 10);
      const down = [0, 34, -34].find(free);
      if (down === undefined) continue;
      taken.push({ x, y: y + down, half });
      name(one, className, down);
    }
  };
  const refine = async () => {
    const zoom = map.getZoom();
    names.splice(0).forEach((one) => one.remove());
    taken = gather();
    if (zoom < 9) place([...counties.features].sort((a, b) => a.properties.overlay - b.properties.overlay).filter(placed), "portal-map-name strong", 14);
    if (zoom >= 8) {
      const codes = [...new Set(inside("county-fill").map((one) => one.properties.code))];
      const parts = await Promise.all(codes.map(near));
      drawn.towns = { type: "FeatureCollection", features: parts.flatMap((one) => one.features) };
      map.getSource("towns").setData(drawn.towns);
    }
    const shown = map.getBounds();
    const seen = (one) => placed(one) && shown.contains([one.properties.lon, one.properties.lat]);
    if (zoom >= 9 && zoom < 12) place(drawn.towns.features.filter(seen), "portal-map-name", 13);
    if (zoom >= 11) {
      const towns = drawn.towns.features.filter(seen).slice(0, 8);
      const parts = await Promise.all(towns.map((one) => near(one.properties.code)));
      drawn.villages = { type: "FeatureCollection", features: parts.flatMap((one) => one.features) };
      map.getSource("villages").setData(drawn.villages);
      if (zoom >= 12) place(drawn.villages.features.filter(seen), "portal-map-name", 13);
    }
    canvas.dataset.drawn = String(Math.round(zoom));
  };
  map.on("moveend", refine);
  await refine();

  if (settle) {
    const mark = new library.Marker({ element: label("", "portal-map-pin"), anchor: "bottom" });
    const set = ({ lng, lat }) => {
      mark.setLngLat([lng, lat]).addTo(map);
      box.closest("form").elements.system.value = "wgs84";
      settle(lng.toFixed(6), lat.toFixed(6));
    };
    // Far out a tap is kilometres wide: it counts, and the map comes closer so that the next one can be exact.
    map.on("click", (event) => {
      set(event.lngLat);
      if (map.getZoom() < 13) map[calm ? "jumpTo" : "easeTo"]({ center: event.lngLat, zoom: Math.min(map.getZoom() + 3, 14) });
    });
    map.getCanvas().addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); set(map.getCenter()); } });
    box.closest("form").addEventListener("lx:unplaced", () => mark.remove());
    const { lon, lat } = box.closest("form").elements;
    if (lon.value) { mark.setLngLat([Number(lon.value), Number(lat.value)]).addTo(map); map.jumpTo({ center: [Number(lon.value), Number(lat.value)], zoom: 13 }); }
  } else if (box.dataset.tiles) {
    let around = "";  // where circles were when the names were placed: they come later, and names make room for them
    gather = tiled(library, map, box, calm, (count, where) => {
      canvas.dataset.points = String(count);
      if (where !== undefined && where !== around) { around = where; refine(); }
    });
  } else {
    const points = await wait(box.dataset.points);
    map.addSource("points", { type: "geojson", data: empty });
    map.addLayer({ id: "points", type: "circle", source: "points", paint: {
      "circle-color": tone("--accent"), "circle-opacity": 0.85, "circle-stroke-color": tone("--surface"), "circle-stroke-width": 1.5,
      "circle-radius": ["interpolate", ["linear"], ["sqrt", ["get", "count"]], 1, 9, 10, 28] } });
    // Areas that would lie on one another are drawn as one circle with their sum; a tap on it comes closer.
    const counts = [];
    gather = () => {
      const groups = [];
      for (const feature of points.features) {
        const { x, y } = map.project(feature.geometry.coordinates);
        const group = groups.find((other) => Math.hypot(other.x - x, other.y - y) < 34);
        if (group) { group.count += feature.properties.count; group.areas += 1; }
        else groups.push({ x, y, count: feature.properties.count, areas: 1, page: feature.properties.page, at: feature.geometry.coordinates });
      }
      map.getSource("points").setData({ type: "FeatureCollection", features: groups.map(({ count, areas, page, at }) => (
        { type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { count, areas, page } })) });
      counts.splice(0).forEach((one) => one.remove());
      const shown = map.getBounds();
      for (const { count, at } of groups.filter((one) => shown.contains(one.at)).slice(0, 120)) {
        counts.push(new library.Marker({ element: label(String(count), "portal-map-count") }).setLngLat(at).addTo(map));
      }
      return groups.map(({ x, y }) => ({ x, y, half: 14 }));
    };
    map.on("click", "points", ({ features: [feature], lngLat }) => {
      if (feature.properties.areas > 1 && map.getZoom() < 14) map[calm ? "jumpTo" : "easeTo"]({ center: lngLat, zoom: map.getZoom() + 2 });
      else location.assign(feature.properties.page);
    });
    map.on("mouseenter", "points", () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", "points", () => { map.getCanvas().style.cursor = ""; });
    await refine();
    canvas.dataset.points = String(points.features.length);
  }
  canvas.dataset.open = "1";
}
