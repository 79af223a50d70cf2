// What a keeper that replaces its own program hands to the new one: descriptors by name, in UPKEEP_INHERIT as
// `lock=19,control=21`. Whether they are what their names say is for whoever takes them to find out.

import { closeOnExecIfOpen } from './syscalls.js';

/** Descriptors by name. */
export type Inheritance = ReadonlyMap<string, number>;

const VARIABLE = 'UPKEEP_INHERIT';

/** The environment with the inheritance in it. */
export const bequeath = (
  environment: NodeJS.ProcessEnv,
  inheritance: Readonly<Record<string, number>>,
): NodeJS.ProcessEnv => ({
  ...environment,
  [VARIABLE]: Object.entries(inheritance)
    .map(([name, fd]) => `${name}=${fd}`)
    .join(','),
});

/** Takes it out of the environment, so that nobody else believes it, and keeps the descriptors from everything we start. */
export function takeInheritance(environment: NodeJS.ProcessEnv): Inheritance {
  const text = environment[VARIABLE] ?? '';
  delete environment[VARIABLE];
  const taken = new Map<string, number>();
  for (const [, name = '', number = ''] of text.matchAll(/([a-z]+)=(\d{1,9})(?:,|$)/g)) {
    const fd = Number(number);
    // Of the lower ones nobody hands anything over.
    if (fd > 2 && closeOnExecIfOpen(fd)) taken.set(name, fd);
  }
  return taken;
}
