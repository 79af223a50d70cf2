// What of a change everybody may see: no command lines, nothing that a program printed, nothing else that stands in the
// details of the history. One place for that. Who may see more is for others to say.

import type { What } from './change.js';
import { isOutput } from './question-text.js';

export function whatForAll(what: What): What {
  if ('death' in what) return deathForAll(what);
  if ('asked' in what && isOutput(what.asked)) {
    const asked = { ...what.asked, text: null };
    return what.type === 'unasked' ? { ...what, asked, reason: null } : { ...what, asked, detail: null };
  }
  return what;
}

function deathForAll(what: Extract<What, { readonly death: unknown }>): What {
  const { by, ailment: _answers, ...death } = what.death;
  const person = by === null ? null : { ...by, command: null, parent: null };
  return { ...what, death: { ...death, by: person, findings: null, peakMemory: null, cpuTime: null } };
}
