// Which services live that no record tells of: a journal that is damaged, or was full, must not lead to a second copy of what
// runs. It only says which generations to look for; whether a process is really the service's is judged as that of any order
// without an outcome.

import { readdirSync } from 'node:fs';
import { readStat } from './identity.js';
import { environmentOf } from './processes-of.js';
import { tokenOf } from './token.js';

/** By service, the newest generation above the recorded one whose true token a process that leads its own session carries. */
export function generationsAlive(secret: string, recorded: (service: string) => number): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const pid of readdirSync('/proc')) {
    if (!(Number(pid) > 1)) continue;
    const variable = environmentOf(Number(pid));
    const service = variable('UPKEEP_SERVICE');
    if (service === null) continue;
    const generation = Number(variable('UPKEEP_GENERATION'));
    // All of a thousand services are known as a rule: whatever costs more than this comes after it.
    if (!(generation > Math.max(recorded(service), newest.get(service) ?? 0))) continue;
    if (variable('UPKEEP_TOKEN') !== tokenOf(secret, service, generation, 'main', 0)) continue;
    if (readStat(Number(pid))?.session === Number(pid)) newest.set(service, generation);
  }
  return newest;
}
