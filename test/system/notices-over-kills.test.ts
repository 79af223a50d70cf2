// The promise: what happened is told once on each channel, in order, whoever kills the keeper when.

import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';

const SERVICES = 12;
const names = Array.from({ length: SERVICES }, (_, i) => `web-${String(i).padStart(2, '0')}`);

interface Told {
  readonly id: string;
  readonly label: string;
  readonly service: string | null;
}

/** By the program: a letter a line. */
const pagedIn = (home: Home): readonly Told[] =>
  home
    .read('paged')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => JSON.parse(line).notices as readonly Told[]);

const writtenIn = (home: Home): readonly string[] =>
  [...home.read('notices.log').matchAll(/\[DIED\] (web-\d+):/g)].map(([, name = '']) => name);

const died = (told: readonly Told[]): readonly string[] =>
  told.filter(({ label }) => label === 'DIED').map(({ service }) => service ?? '');

describe('notices', () => {
  it('are told once each by a file and a program, however often the keeper is killed (monitors 29)', async () => {
    const home = newHome();
    home.configure(Object.fromEntries(names.map((name) => [name, { run: ['sleep', '1000'] }])), {
      notices: {
        channels: {
          file: { file: home.at('notices.log') },
          // Slow enough to be in the middle of it when the keeper goes.
          page: {
            exec: ['/bin/sh', '-c', `letter=$(cat); sleep 0.1; printf '%s\\n' "$letter" >> ${home.at('paged')}`],
          },
        },
        rules: [{ kinds: ['died'], tell: ['file', 'page'] }],
        digest: 'none',
      },
    });
    let keeper = await home.start();
    for (const name of names) await home.running(name);
    for (const [i, name] of names.entries()) {
      const pid = await home.running(name);
      process.kill(pid, 'SIGKILL');
      // From before the death is known to after it was told.
      await pause(i * 130);
      if (i % 2 === 0) continue;
      await keeper.end('SIGKILL');
      keeper = await home.start();
      await home.running(name, pid);
    }
    await home.until('all is told by the program', () => new Set(died(pagedIn(home))).size === SERVICES);
    await home.until('all is told by the file', () => new Set(writtenIn(home)).size === SERVICES);
    const noneWaits = async (): Promise<boolean> => {
      const { stdout } = await home.upkeep('notice', '--json');
      const { channels }: { readonly channels: readonly { readonly waiting: number }[] } = JSON.parse(stdout);
      return channels.every(({ waiting }) => waiting === 0);
    };
    await home.until('nothing waits', noneWaits);
    const paged = pagedIn(home);
    expect(new Set(paged.map(({ id }) => id)).size).toBe(paged.length);
    expect([...died(paged)].sort()).toEqual(names);
    expect([...writtenIn(home)].sort()).toEqual(names);
  });

  it('delay no restart and no other channel when a program hangs, and `--test` says what became of it', async () => {
    const home = newHome();
    home.configure(
      { web: { run: ['sleep', '1000'] } },
      {
        notices: {
          channels: {
            hangs: { exec: { exec: ['/bin/sh', '-c', 'exec sleep 600'], timeout: '2s' } },
            file: { file: home.at('notices.log') },
          },
          rules: [{ kinds: ['died'], tell: ['hangs', 'file'] }],
          digest: 'none',
        },
      },
    );
    await home.start();
    const pid = await home.running('web');
    process.kill(pid, 'SIGKILL');
    await home.running('web', pid);
    await home.until('the file has it', () => /\[DIED\] web: /.test(home.read('notices.log')));
    const tested = await home.upkeep('notice', '--test', 'hangs');
    expect([tested.code, tested.stderr]).toEqual([
      1,
      'upkeep: hangs did not take it: /bin/sh did not end within 2 s and was killed\n',
    ]);
    expect((await home.upkeep('notice', '--test', 'file')).code).toBe(0);
    expect(home.read('notices.log')).toMatch(/\[KEEPER\] upkeep: this is a test of the channel file\n$/);
    expect((await home.upkeep('notice')).stdout).toMatch(/^hangs +failing +1 /m);
  });
});
