// Ends a keeper that answers, its services left alone, and waits until it has ended: an installer hands it over to another
// owner, or takes it away.

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { call } from '../control/client.js';
import { CommandError, EXIT } from './exit.js';
import { fieldsOf } from './keeper-facts.js';
import { bodyOf } from './keeper-link.js';
import type { Places } from './places.js';

const LOOK_MS = 100;
const PATIENCE_MS = 30_000;

/** A keeper that answers: its pid, and who starts it again. */
export interface Standing {
  readonly pid: number;
  readonly owner: string | null;
}

/** null: nobody answers at this socket. */
export async function standingAt({ socket }: Places, patience = 5_000): Promise<Standing | null> {
  const answer = await call({ socket, method: 'GET', path: '/v1/status', patience });
  if (answer.type !== 'ok') return null;
  const { pid, owner } = fieldsOf(fieldsOf(answer.body).keeper);
  return typeof pid === 'number' ? { pid, owner: typeof owner === 'string' ? owner : null } : null;
}

/** @throws CommandError when it refuses, or goes on */
export async function endKeeper(places: Places, { pid }: Standing): Promise<void> {
  const { socket } = places;
  const answer = await call({ socket, method: 'POST', path: '/v1/shutdown', body: { leave: true }, patience: 10_000 });
  // It may be gone before it has answered: that is what was asked for.
  if (answer.type !== 'no-keeper') bodyOf(answer, places);
  const deadline = Date.now() + PATIENCE_MS;
  // Its socket closes a moment before its lock, which the next keeper needs: the process itself is waited for.
  while (isThere(pid)) {
    if (Date.now() > deadline)
      throw new CommandError(EXIT.failed, `the keeper (pid ${pid}) was asked to end, and goes on`);
    await pause(LOOK_MS);
  }
}

/** The keeper that this owner has started, once it answers; null: it does not. */
export async function waitForKeeper(places: Places): Promise<Standing | null> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const standing = await standingAt(places);
    if (standing !== null || Date.now() > deadline) return standing;
    await pause(LOOK_MS);
  }
}

/** One that has ended, and that its parent has not asked about yet, holds nothing any more. */
function isThere(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
