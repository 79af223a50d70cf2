// lib/guard.sh by itself, below it anything but a keeper: how it ends.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const guard = fileURLToPath(new URL('../../lib/guard.sh', import.meta.url));
const run = promisify(execFile);

it('ends with the status of a keeper that ends in the moment after its word', async () => {
  // Of a thousand such ends one or two fell between the guard's waking up and its look at who has ended. What sends the
  // signal is replaced by the program that does, so that nothing is left to be done between the word and the end.
  const rounds = `odd=0 left=1000
    while [ "$left" -gt 0 ]; do
      left=$((left - 1))
      sh "$1" sh -c 'exec env kill -s USR1 "$PPID"' || odd=$((odd + 1))
    done
    echo "$odd"`;
  const { stdout } = await run('sh', ['-c', rounds, 'rounds', guard]);
  expect(stdout).toBe('0\n');
});

it('passes on a status that looks like a signal', async () => {
  const ended = run('sh', [guard, 'sh', '-c', 'kill -s USR1 "$PPID"; exit 138']);
  await expect(ended).rejects.toMatchObject({ code: 138 });
});
