// Positions: where the telephone is, which grid holds a point, what lies near. Everything is reckoned in WGS-84 degrees.

const AXIS = 6378245, ECCENTRICITY2 = 0.00669342162296594323, { PI, sin, cos, sqrt, abs } = Math;
const KEY = "lx-field-coordinates";

// GCJ-02's offset in degrees at a WGS-84 position: the formulas of kernel/coordinates.py.
function offset(lon, lat) {
  const x = lon - 105, y = lat - 35, root = sqrt(abs(x)), waves = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves;
  north += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 + ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves;
  east += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 + ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const phi = (lat * PI) / 180, bend = 1 - ECCENTRICITY2 * sin(phi) ** 2;
  return [(east * 180) / ((AXIS / sqrt(bend)) * cos(phi) * PI), (north * 180) / (((AXIS * (1 - ECCENTRICITY2)) / (bend * sqrt(bend))) * PI)];
}
const inChina = (lon, lat) => lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271;
export function toWgs84({ lon, lat, system }) {
  if (system !== "gcj02" || !inChina(lon, lat)) return { lon, lat };
  let [east, north] = offset(lon, lat);
  for (let round = 0; round < 8; round += 1) [east, north] = offset(lon - east, lat - north);
  return { lon: lon - east, lat: lat - north };
}

// Browsers answer in WGS-84; some telephones' own browsers answer in GCJ-02, and their owner can say so once.
export const system = () => { try { return localStorage.getItem(KEY) || "wgs84"; } catch { return "wgs84"; } };
export const setSystem = (name) => { try { localStorage.setItem(KEY, name); } catch { /* for this time only */ } };

export function metres(a, b) {
  const east = (b.lon - a.lon) * 111_320 * cos((a.lat * PI) / 180), north = (b.lat - a.lat) * 110_574;
  return sqrt(east * east + north * north);
}
export const moved = ({ lon, lat }, east, north) => ({ lon: lon + east / (111_320 * cos((lat * PI) / 180)), lat: lat + north / 110_574 });

// Asks the telephone where it is, better and better for up to twenty seconds; `told` hears {lon, lat, accuracy, system} or
// {fault: "denied" | "none"}. Returns a function that ends it. Nothing is asked after that: no path is followed.
export function locate(told, { enough = 15, patience = 20_000 } = {}) {
  if (!navigator.geolocation) { told({ fault: "none" }); return () => {}; }
  let best = null, over = false, watch, timer;
  const end = () => { over = true; clearTimeout(timer); navigator.geolocation.clearWatch(watch); };
  watch = navigator.geolocation.watchPosition(({ coords }) => {
    if (over || (best && coords.accuracy >= best.accuracy)) return;
    best = { lon: coords.longitude, lat: coords.latitude, accuracy: Math.max(1, Math.round(coords.accuracy)), system: system() };
    told(best);
    if (best.accuracy <= enough) end();
  }, (error) => {
    if (over || best) return;
    if (error.code === 1) end();
    told({ fault: error.code === 1 ? "denied" : "none" });
  }, { enableHighAccuracy: true, timeout: patience, maximumAge: 10_000 });
  timer = setTimeout(() => { if (!best && !over) told({ fault: "none" }); end(); }, patience);
  return end;
}

export const features = (section) => (Array.isArray(section) ? section : section?.features ?? []);
const inRing = (ring, lon, lat) => {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [x, y] = ring[i], [u, v] = ring[j];
    if ((y > lat) !== (v > lat) && lon < ((u - x) * (lat - y)) / (v - y) + x) inside = !inside;
  }
  return inside;
};
const polygons = (geometry) => (geometry?.type === "Polygon" ? [geometry.coordinates] : geometry?.type === "MultiPolygon" ? geometry.coordinates : []);
const SMALLER = ["grid", "village", "town", "county", "city"];
// The smallest of the worker's areas that holds a point.
export function areaAt(grids, { lon, lat }) {
  return features(grids).filter(({ geometry }) => polygons(geometry).some(([outer, ...holes]) => inRing(outer, lon, lat) && !holes.some((hole) => inRing(hole, lon, lat))))
    .map((one) => one.properties).sort((a, b) => SMALLER.indexOf(a.level) - SMALLER.indexOf(b.level))[0] ?? null;
}
// [[west, south], [east, north]] of points or of areas; null where there are none.
export function around(points) {
  if (!points.length) return null;
  const lons = points.map(({ lon }) => lon), lats = points.map(({ lat }) => lat);
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}
export const bounds = (grids) => around(features(grids).flatMap(({ geometry }) => polygons(geometry).flatMap(([outer]) => outer.map(([lon, lat]) => ({ lon, lat })))));
export const placed = (thing) => Number.isFinite(thing?.lon) && Number.isFinite(thing?.lat);
export const nearest = (things, at) => things.filter(placed).map((one) => ({ one, away: metres(at, one) })).sort((a, b) => a.away - b.away);
