// What lies in the store is sealed with a random key (AES-GCM, 256 bits). That key is wrapped twice: by a key made from the PIN (PBKDF2),
// and by a key of this browser that no script can read out. What a PIN can and cannot protect: docs/explanation/field-offline.md.

import { get, put, remove, within, answer } from "./db.js";
import { emit } from "./events.js";

const ITERATIONS = 600_000;        // OWASP's recommendation for PBKDF2 with SHA-256, 2023
const FREE = 5, FIRST = 30, LONGEST = 3600;  // wrong PINs without waiting; then seconds, doubled each time
const OFTEN = new Set(["112233", "123123", "123321", "121212", "520520", "521521", "520131", "131452", "131420", "147258", "159357", "147852", "258369",
  "789456", "101010", "110110", "119119", "120120", "123451", "102030", "112358", "314159", "168168", "518518", "888666", "666888"]);
const text = new TextEncoder(), words = new TextDecoder();
const subtle = globalThis.crypto?.subtle;
let key = null, bundle = null;

export class VaultFault extends Error {
  constructor(code, more = {}) { super(code); Object.assign(this, { code }, more); }
}
export const possible = () => Boolean(subtle && globalThis.indexedDB);
export const unlocked = () => key !== null;
export const held = () => { if (!bundle) throw new VaultFault("locked"); return bundle; };
export const exists = async () => Boolean(await get("meta", "vault"));

// What is wrong with a PIN, or an empty string: "short", "digits", "trivial".
export function weakness(pin) {
  if (!/^\d*$/.test(pin)) return "digits";
  if (pin.length < 6) return "short";
  const steps = [...pin].slice(1).map((digit, at) => (Number(digit) - Number(pin[at]) + 10) % 10);
  const straight = steps.every((step) => step === steps[0]);                                          // 000000, 123456, 987654, 135791
  const repeated = [1, 2, 3].some((size) => pin.length % size === 0 && pin === pin.slice(0, size).repeat(pin.length / size));
  const few = new Set(pin).size < 3;
  return straight || repeated || few || OFTEN.has(pin) || [...OFTEN].some((one) => pin.startsWith(one)) ? "trivial" : "";
}

async function pinKey(pin, salt, iterations) {
  const base = await subtle.importKey("raw", text.encode(pin), "PBKDF2", false, ["deriveKey"]);
  return subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
// iv (12 bytes) followed by the cipher text; `place` is bound to it, so that a row put in another's place does not open.
async function shut(by, bytes, place) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv, additionalData: text.encode(place) }, by, bytes));
  const whole = new Uint8Array(12 + sealed.length);
  whole.set(iv);
  whole.set(sealed, 12);
  return whole;
}
const unshut = async (by, sealed, place) => new Uint8Array(await subtle.decrypt(
  { name: "AES-GCM", iv: sealed.subarray(0, 12), additionalData: text.encode(place) }, by, sealed.subarray(12)));

async function wrapped(raw, pin, device) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const inner = await shut(await pinKey(pin, salt, ITERATIONS), raw, "pin");
  return { salt, iterations: ITERATIONS, wrapped: await shut(device, inner, "device") };
}
async function unwrapped(vault, pin) {
  const inner = await unshut(vault.device, vault.wrapped, "device");
  return unshut(await pinKey(pin, vault.salt, vault.iterations), inner, "pin");
}
const importRaw = (raw) => subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);

// Seconds until another PIN may be tried. A clock set back does not shorten it.
function left(tries, now = Date.now()) {
  if (!tries || tries.count < FREE) return 0;
  const pause = Math.min(LONGEST, FIRST * 2 ** (tries.count - FREE)) * 1000;
  return Math.ceil(Math.max(0, Math.min(pause, tries.at + pause - now)) / 1000);
}
export const waiting = async () => left(await get("meta", "tries"));

// Makes the vault and leaves it open. `kept` (the device's secret, who works with it) is sealed in it.
export async function create(pin, kept) {
  if (weakness(pin)) throw new VaultFault(weakness(pin));
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const device = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const made = await importRaw(raw);
  const row = { name: "vault", device, ...(await wrapped(raw, pin, device)), bundle: await shut(made, text.encode(JSON.stringify(kept)), "bundle") };
  raw.fill(0);
  await put("meta", row);
  key = made;
  bundle = kept;
  emit("unlocked");
}

// Counts the try before it is made: an application killed in the middle gains nothing. One at a time over all tabs.
async function tried(pin) {
  return navigator.locks.request("lianxin-field-pin", async () => {
    const seconds = await within(["meta"], "readwrite", async (meta) => {
      const tries = await answer(meta.get("tries")) ?? { name: "tries", count: 0, at: 0 };
      if (left(tries)) return left(tries);
      meta.put({ name: "tries", count: tries.count + 1, at: Date.now() });
      return 0;
    });
    if (seconds) throw new VaultFault("wait", { seconds });
    const vault = await get("meta", "vault");
    if (!vault) throw new VaultFault("empty");
    let raw;
    try { raw = await unwrapped(vault, pin); } catch {
      const tries = await get("meta", "tries");
      throw new VaultFault("wrong", { seconds: left(tries), free: Math.max(0, FREE - tries.count) });
    }
    await remove("meta", "tries");
    return { vault, raw };
  });
}
async function opened({ vault, raw }) {
  const made = await importRaw(raw);
  raw.fill(0);
  bundle = JSON.parse(words.decode(await unshut(made, vault.bundle, "bundle")));
  key = made;
  emit("unlocked");
}
export const unlock = async (pin) => opened(await tried(pin));

// A finger or a face in place of the PIN: a passkey of this telephone gives a secret of its own (WebAuthn, extension PRF), and the same key is
// wrapped by it as well. The PIN stays valid.
const PRF = text.encode("lianxin field store");
const prf = (extra) => ({ challenge: crypto.getRandomValues(new Uint8Array(32)), userVerification: "required", extensions: { prf: { eval: { first: PRF } } }, timeout: 60_000, ...extra });
async function secretOf(credential) {
  const first = credential?.getClientExtensionResults().prf?.results?.first;
  if (!first) return null;
  const base = await subtle.importKey("raw", first, "HKDF", false, ["deriveKey"]);
  return subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: PRF }, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
const ask = async (id) => secretOf(await navigator.credentials.get({ publicKey: prf({ allowCredentials: [{ type: "public-key", id }] }) }));

export const fingerPossible = async () => Boolean(await globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.().catch(() => false));
export const fingerSet = async () => Boolean((await get("meta", "vault"))?.finger);
// Raises "unable" where the telephone has no such secret to give, and what the browser raises when the worker says no.
export async function setFinger(pin) {
  const { vault, raw } = await tried(pin);
  const made = await navigator.credentials.create({ publicKey: { ...prf({}), rp: { name: "Lianxin" },
    user: { id: crypto.getRandomValues(new Uint8Array(16)), name: held().worker.name, displayName: held().worker.name },
    pubKeyCredParams: [-7, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { authenticatorAttachment: "platform", residentKey: "preferred", userVerification: "required" } } });
  const secret = await secretOf(made) ?? (made.getClientExtensionResults().prf?.enabled ? await ask(made.rawId) : null);
  if (!secret) throw new VaultFault("unable");
  await put("meta", { ...vault, finger: { id: made.rawId, wrapped: await shut(vault.device, await shut(secret, raw, "finger"), "device") } });
  raw.fill(0);
}
export async function unlockByFinger() {
  const vault = await get("meta", "vault"), secret = await ask(vault.finger.id);
  if (!secret) throw new VaultFault("unable");
  await opened({ vault, raw: await unshut(secret, await unshut(vault.device, vault.finger.wrapped, "device"), "finger") });
}
export async function dropFinger() {
  const { finger: _gone, ...vault } = await get("meta", "vault");
  await put("meta", vault);
}
export async function change(old, pin) {
  if (weakness(pin)) throw new VaultFault(weakness(pin));
  const { vault, raw } = await tried(old);
  await put("meta", { ...vault, ...(await wrapped(raw, pin, vault.device)) });
  raw.fill(0);
}
// Another secret for the same worker: the telephone was enrolled again, and what waits stays.
export async function rebind(kept) {
  const vault = await get("meta", "vault");
  await put("meta", { ...vault, bundle: await shut(need(), text.encode(JSON.stringify(kept)), "bundle") });
  bundle = kept;
}
export function lock() {
  if (!key) return;
  key = bundle = null;
  emit("locked");
}

const need = () => { if (!key) throw new VaultFault("locked"); return key; };
export const sealBytes = (bytes, place) => shut(need(), bytes, place);
export const openBytes = (sealed, place) => unshut(need(), new Uint8Array(sealed), place);
export const seal = (thing, place = "") => sealBytes(text.encode(JSON.stringify(thing)), place);
export const open = async (sealed, place = "") => JSON.parse(words.decode(await openBytes(sealed, place)));
