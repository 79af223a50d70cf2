// Which services live that no record tells of: a journal that is damaged, or was full, must not lead to a second copy of what
// runs. It only says which generations to look for; whether a process is really the service's is judged as that of any order
// without an outcome.

import { readdirSync } from 'node:fs';
import { readStat } from './identity.js';
import { readText } from './processes-of.js';
import { tokenOf } from './token.js';

/** By service, the newest generation above the recorded one whose true token a process that leads its own session carries. */
export function generationsAlive(secret: string, recorded: (service: string) => number): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const pid of readdirSync('/proc')) {
    if (!(Number(pid) > 1)) continue;
    const environment = `\0${readText(`/proc/${pid}/environ`)}`;
    const service = valueIn(environment, 'UPKEEP_SERVICE');
    if (service === null) continue;
    const generation = Number(valueIn(environment, 'UPKEEP_GENERATION'));
    // All of a thousand services are known as a rule: whatever costs more than this comes after it.
    if (!(generation > Math.max(recorded(service), newest.get(service) ?? 0))) continue;
    if (valueIn(environment, 'UPKEEP_TOKEN') !== tokenOf(secret, service, generation, 'main')) continue;
    if (readStat(Number(pid))?.session === Number(pid)) newest.set(service, generation);
  }
  return newest;
}

function valueIn(environment: string, name: string): string | null {
  const before = `\0${name}=`;
  const at = environment.indexOf(before);
  return at < 0 ? null : environment.slice(at + before.length, environment.indexOf('\0', at + before.length));
}
