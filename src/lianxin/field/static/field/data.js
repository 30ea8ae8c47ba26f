// What the screens read: the sections of the last pull, and the worker's drafts.

import { emit, on } from "./events.js";
import { getSealed, names, putEverySealed, putSealed, removeSealed } from "./store.js";
import { held } from "./vault.js";

const CURSOR = "cursor";
const DAYS_LAST = "9999";

export const data = {
  section: (name) => getSealed("sections", name),
  me: async () => (await getSealed("sections", "me")) ?? held().worker,
  // Every task of every section `tasks.*`, by due time; those without one come last.
  async tasks() {
    const found = (await names("sections")).filter((name) => name.startsWith("tasks."));
    const lists = await Promise.all(found.map((name) => getSealed("sections", name)));
    return lists.flat().filter(Boolean).sort((one, other) => (one.due_at ?? DAYS_LAST).localeCompare(other.due_at ?? DAYS_LAST));
  },
  cursor: async () => (await getSealed("sections", CURSOR))?.cursor ?? "",
  pulledAt: async () => (await getSealed("sections", CURSOR))?.at ?? null,
  async take({ cursor, now, sections }) {
    await putEverySealed("sections", { ...sections, [CURSOR]: { cursor, at: now } });
    if (sections["tasks.care"]) await forgetCare(sections["tasks.care"]);
    if (Object.keys(sections).length) emit("change", { sections: Object.keys(sections) });
  },
};
// What was begun about somebody who has withdrawn, or whom another visits now, goes with them.
async function forgetCare(tasks) {
  const mine = new Set(tasks.map(({ id }) => `care:${id}`));
  for (const name of await names("drafts")) if (name.startsWith("care:") && !mine.has(name)) await removeSealed("drafts", name);
}
export const drafts = {
  get: (name) => getSealed("drafts", name),
  put: (name, value) => putSealed("drafts", name, value),
  remove: (name) => removeSealed("drafts", name),
};
export { on };
