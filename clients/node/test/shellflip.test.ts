// The example of the seed, alone and under systemd: four generations, and a fifth that refuses. Under Upkeep it is a system test.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requestRestart } from '../src/requests/request-restart.js';
import { FakeSystemd, heldSocket } from './support/fake-systemd.js';
import { type Program, start, stopAll, until } from './support/program.js';

const EXAMPLE = fileURLToPath(new URL('../examples/shellflip.mjs', import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-client-'));
});
afterEach(() => {
  stopAll();
  rmSync(directory, { recursive: true, force: true });
});

const serves = (program: Program, generation: number): Promise<RegExpExecArray> =>
  program.said(new RegExp(`^generation ${generation} serves`));

it('four generations alone, and the fifth is refused while the fourth goes on (E1, seed 004)', async () => {
  const { fd, close } = await heldSocket();
  const restart = join(directory, 'restart');
  const program = start({
    program: EXAMPLE,
    fds: [fd],
    env: { LISTEN_FDNAMES: 'http', UPKEEP_RESTART_SOCKET: restart },
  });
  close();
  await serves(program, 1);
  for (const generation of [2, 3, 4]) {
    // The one before may not have ended yet.
    await until('it is replaced', () =>
      requestRestart(restart).then(
        () => true,
        () => false,
      ),
    );
    await serves(program, generation);
  }
  await until('the fifth is refused, and nothing else is in the way', () =>
    requestRestart(restart).then(
      () => false,
      (error: Error) => error.message.includes('generation 5 is one too many'),
    ),
  );
  await program.said(/^generation 4 goes on: .*generation 5 is one too many/);
});

it('four generations under systemd, where the fifth can only end: nobody is left to go on (seed 004)', async () => {
  const systemd = new FakeSystemd(join(directory, 'notify'));
  const { fd, close } = await heldSocket();
  const started = (): Program => {
    const stored = [...systemd.stored];
    const env = { NOTIFY_SOCKET: systemd.address, LISTEN_FDNAMES: ['http', ...stored.map(([name]) => name)].join(':') };
    return start({ program: EXAMPLE, env, fds: [fd, ...stored.map(([, kept]) => kept)] });
  };
  for (const generation of [1, 2, 3, 4]) {
    const program = started();
    await serves(program, generation);
    await systemd.notified(`STATUS=generation ${generation}`);
    process.kill(program.pid, 'SIGUSR2');
    expect(await program.ended).toEqual({ code: 75, signal: null });
  }
  expect(await started().ended).toEqual({ code: 1, signal: null });
  // The state is where it was: a program that reads it may be started instead.
  expect(await started().ended).toEqual({ code: 1, signal: null });
  close();
  systemd.close();
});
