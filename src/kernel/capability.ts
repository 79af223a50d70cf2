// Which capabilities the keeper itself has. They do not change while it runs.

import { readFileSync } from 'node:fs';

/** capability(7): their numbers. */
const NUMBERS = { sysPtrace: 19n, sysResource: 24n };

const effective = BigInt(
  `0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'}`,
);

export const isCapable = (name: keyof typeof NUMBERS): boolean => ((effective >> NUMBERS[name]) & 1n) === 1n;
