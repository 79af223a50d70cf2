// What a main process is given beside its standard descriptors, by the protocol of socket activation (sd_listen_fds(3)): from 3
// on what is held for it, and the variables that tell it so. Pure. It must not know where the descriptors come from.

import type { ServiceSpec } from '../core/spec.js';
import type { OwnPid } from './pid-hop.js';
import type { Passed } from './posix-spawn.js';

/** A descriptor of ours, and what it is called there. */
export interface Given {
  readonly fd: number;
  readonly name: string;
}

export interface Passing {
  readonly passed: readonly Passed[];
  readonly env: Readonly<Record<string, string>>;
  readonly ownPid: readonly OwnPid[];
}

export const nothingPassed: Passing = { passed: [], env: {}, ownPid: [] };

const FIRST = 3; // SD_LISTEN_FDS_START

/** `ready`: the file of its `ready: {fd}`. @throws Error: that number is one of the others */
export function passing(
  { watchdog }: Pick<ServiceSpec, 'watchdog'>,
  given: readonly Given[],
  ready: Passed | null,
): Passing {
  const next = FIRST + given.length;
  if (ready !== null && ready.as < next)
    throw new Error(
      `its \`ready: {fd: ${ready.as}}\` is the number of a descriptor that is held for it: write ${next}, or one above`,
    );
  const all = given.map(({ fd }, i) => ({ fd, as: FIRST + i }));
  const passed = ready === null ? all : [...all, ready];
  const watched: readonly OwnPid[] = watchdog === null ? [] : ['WATCHDOG_PID'];
  if (given.length === 0) return { passed, env: {}, ownPid: watched };
  const names = given.map(({ name }) => name).join(':');
  return {
    passed,
    env: { LISTEN_FDS: String(given.length), LISTEN_FDNAMES: names },
    ownPid: ['LISTEN_PID', ...watched],
  };
}
