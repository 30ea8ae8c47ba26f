// One file in pieces, by the tus protocol: what has arrived is not sent again, whatever ended the last attempt.

import { queue } from "./queue.js";

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
// Resolves when the server has all of it. `aborted` is an AbortSignal.
export async function upload(file, secret, { progress = () => {}, aborted } = {}) {
  const row = await queue.upload.get(file.id), blob = await queue.file(file.id);
  if (!row || !blob) return;
  await import("./vendor/tus.min.js");  // tus-js-client: sets globalThis.tus
  const send = (url) => new Promise((done, fail) => {
    const sending = new globalThis.tus.Upload(blob, {
      endpoint: ENDPOINT, uploadUrl: url || null, chunkSize: PIECE, retryDelays: null, storeFingerprintForResuming: false, removeFingerprintOnSuccess: true,
      headers: { Authorization: `Bearer ${secret}` }, metadata: { id: file.id, name: file.name, filetype: file.type },
      onUploadUrlAvailable: () => { if (sending.url !== row.url) queue.upload.at(file.id, sending.url).catch(() => {}); },
      onProgress: (sent, whole) => progress(sent, whole),
      onSuccess: () => done(),
      onError: (cause) => fail(new UploadFault(cause)),
    });
    aborted?.addEventListener("abort", () => { sending.abort(); fail(new DOMException("", "AbortError")); });
    sending.start();
  });
  try { await send(row.url); } catch (fault) {
    // Begun before, and its address forgotten: the file's id is the address, and the server says how much is there.
    if (fault.status !== 409 || row.url) throw fault;
    await queue.upload.at(file.id, `${ENDPOINT}/${file.id}`);
    await send(`${ENDPOINT}/${file.id}`);
  }
}
