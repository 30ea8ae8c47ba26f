// One file in pieces, by the tus protocol: what has arrived is not sent again, whatever ended the last attempt.

import { queue } from "./queue.js";
import { language } from "./words.js";

const PIECE = 128 * 1024;  // bytes: some seconds on a village's network
const ENDPOINT = "/api/v1/field/uploads";

// Why a file could not be sent: `status` is HTTP's, 0 where there was no answer.
export class UploadFault extends Error {
  constructor(cause) {
    super(cause.message);
    this.answer = cause.originalResponse ?? null;
    this.status = this.answer?.getStatus() ?? 0;
    this.after = Number(this.answer?.getHeader("Retry-After")) || 0;
    try { this.problem = JSON.parse(this.answer.getBody()); } catch { this.problem = {}; }
  }
}
// The telephone itself cannot read the file any more.
export class FileLost extends Error {}

async function read(file) {
  const row = await queue.upload.get(file.id);
  let blob = null;
  try { blob = await queue.file(file.id); } catch (fault) { if (fault.name !== "OperationError") throw fault; }
  if (!blob) throw new FileLost(file.id);
  return { row, blob };
}
// Resolves when the server has all of it; fails after `silence` milliseconds without progress.
export async function upload(file, secret, { progress = () => {}, silence }) {
  const { row, blob } = await read(file);
  await import("./vendor/tus.min.js");  // tus-js-client: sets globalThis.tus
  const send = (url) => new Promise((done, fail) => {
    const sending = new globalThis.tus.Upload(blob, {
      endpoint: ENDPOINT, uploadUrl: url || null, chunkSize: PIECE, retryDelays: null, storeFingerprintForResuming: false, removeFingerprintOnSuccess: true,
      headers: { Authorization: `Bearer ${secret}`, "Accept-Language": language() }, metadata: { id: file.id, name: file.name, filetype: file.type },
      onUploadUrlAvailable: () => { if (sending.url !== row.url) queue.upload.at(file.id, sending.url).catch(() => {}); },
      onProgress: (sent, whole) => { wait(); progress(sent, whole); },
      onSuccess: () => { clearTimeout(late); done(); },
      onError: (cause) => { clearTimeout(late); fail(new UploadFault(cause)); },
    });
    let late = 0;
    const wait = () => {
      clearTimeout(late);
      late = setTimeout(() => { sending.abort(); fail(new DOMException("no progress", "TimeoutError")); }, silence);
    };
    wait();
    sending.start();
  });
  try { await send(row.url); } catch (fault) {
    // Begun before, and its address forgotten: the file's id is the address, and the server says how much is there.
    if (fault.status !== 409 || row.url) throw fault;
    await queue.upload.at(file.id, `${ENDPOINT}/${file.id}`);
    await send(`${ENDPOINT}/${file.id}`);
  }
}
