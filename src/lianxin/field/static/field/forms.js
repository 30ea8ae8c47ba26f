// Which questions of a form are asked, and whether answers fit: the telephone's half of patrols/engine.py, held to the same cases
// by tests/journeys/test_field_forms.py. Conditions and answers are judged as JSON Schema 2020-12.

import { dereference } from "./vendor/json-schema/dereference.js";
import { validate } from "./vendor/json-schema/validate.js";

export const MISSING = "missing", NOT_ASKED = "not_asked", UNKNOWN = "unknown", BAD = "bad";
const NOTHING_TO_ANSWER = ["note", "group"];
const looked = new WeakMap();

export function fits(schema, value) {
  if (typeof value === "number" && !Number.isFinite(value)) return false;
  if (!looked.has(schema)) looked.set(schema, dereference(schema));
  return validate(value, schema, "2020-12", looked.get(schema), true).valid;
}
export const answered = (value) => value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && !value.length);
const given = (answers, name) => (Object.hasOwn(answers, name) ? answers[name] : undefined);

// Every question with whether it is asked, in order: [[question, shown]]. A condition sees only what was asked and answered before it.
export function asked({ questions }, answers) {
  const known = Object.create(null);
  return questions.map((question) => {
    const shown = !question.shown || fits(question.shown, known);
    if (shown && answered(given(answers, question.name))) known[question.name] = answers[question.name];
    return [question, shown];
  });
}
// What is wrong, by the question's name.
export function faults(definition, answers) {
  const found = {}, names = new Set();
  for (const [question, shown] of asked(definition, answers)) {
    const { name, kind } = question, value = given(answers, name);
    names.add(name);
    if (NOTHING_TO_ANSWER.includes(kind)) { if (Object.hasOwn(answers, name)) found[name] = UNKNOWN; }
    else if (!shown) { if (answered(value)) found[name] = NOT_ASKED; }
    else if (!answered(value)) { if (question.required) found[name] = MISSING; }
    else if (!fits(question.schema, value)) found[name] = BAD;
  }
  for (const name of Object.keys(answers)) if (!names.has(name)) found[name] = UNKNOWN;
  return found;
}
// The answers that are kept: of questions that are asked, without empty ones.
export function kept(definition, answers) {
  return Object.fromEntries(asked(definition, answers)
    .filter(([{ name, kind }, shown]) => shown && !NOTHING_TO_ANSWER.includes(kind) && answered(given(answers, name)))
    .map(([{ name }]) => [name, answers[name]]));
}
// The rules that hold of these answers: what may be reported.
export function offers(definition, answers) {
  const held = Object.assign(Object.create(null), kept(definition, answers));
  return definition.rules.filter((rule) => fits(rule.when, held));
}
