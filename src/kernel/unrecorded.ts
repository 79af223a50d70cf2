// Which services live whose record is lost: a damaged journal must not lead to a second copy of what runs. It only says
// which generations to look for; whether a process is really the service's is judged as that of any order without an outcome.

import { readdirSync } from 'node:fs';
import { readStat } from './identity.js';
import { readText } from './processes-of.js';
import { tokenOf } from './token.js';

/** By service, the newest generation whose true token a process that leads its own session carries. */
export function generationsAlive(secret: string): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 1) || readStat(pid)?.session !== pid) continue;
    const variables = new Map(readText(`/proc/${pid}/environ`).split('\0').map(split));
    const service = variables.get('UPKEEP_SERVICE');
    const generation = Number(variables.get('UPKEEP_GENERATION'));
    if (service === undefined || variables.get('UPKEEP_TOKEN') !== tokenOf(secret, service, generation, 'main'))
      continue;
    newest.set(service, Math.max(generation, newest.get(service) ?? 0));
  }
  return newest;
}

function split(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}
