// The kind exec with real programs.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, pidIn } from '../../test/support/running.js';
import type { ExecQuestion } from '../core/question.js';
import { millis } from '../core/time.js';
import { type Asked, askOnce } from './ask-once.js';
import { askExec } from './exec.js';

const PATIENCE = { timeout: 30_000, interval: 20 };

let home: string;
let started: number[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-exec-'));
  started = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const at = (name: string): string => join(home, name);

async function ask(
  argv: readonly string[],
  codes: ExecQuestion['codes'] = 'upkeep',
  timeout = 30_000,
): Promise<Asked['answer']> {
  const question: ExecQuestion = { kind: 'exec', command: { argv, timeout: null, user: null }, codes };
  const env = { PATH: '/usr/bin:/bin', UPKEEP_SERVICE: 'web' };
  const asked = await askOnce((asking) => askExec(question, asking, { env, started: (pid) => started.push(pid) }), {
    timeout: millis(timeout),
    now: () => performance.now(),
    secret: () => '',
    hide: (text) => text,
  }).outcome;
  return asked!.answer;
}

const sh = (text: string, codes: ExecQuestion['codes'] = 'upkeep', timeout = 30_000) =>
  ask(['/bin/sh', '-c', text, 'sh', home], codes, timeout);

const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe('the exit code of a program is the answer', () => {
  it('0 good, 1 and all others failed, 125 to 127 could not ask (monitors 11)', async () => {
    for (const [code, result] of [
      [0, 'good'],
      [1, 'failed'],
      [2, 'failed'],
      [124, 'failed'],
      [125, 'unasked'],
      [126, 'unasked'],
      [127, 'unasked'],
      [255, 'failed'],
    ] as const)
      expect(await sh(`exit ${code}`)).toMatchObject({ result, detail: `exit code ${code}` });
  });

  it('as Nagios has it: 0 and 1 good, 2 failed, 3 could not ask; what is for machines is left out', async () => {
    for (const [code, result] of [
      [0, 'good'],
      [1, 'good'],
      [2, 'failed'],
      [3, 'unasked'],
      [4, 'failed'],
      [127, 'unasked'],
    ] as const)
      expect((await sh(`exit ${code}`, 'nagios')).result).toBe(result);
    expect((await sh('echo "OK - load 0.1|load1=0.1;5;10"', 'nagios')).detail).toBe('OK - load 0.1');
  });

  it('with the first line that it says, on either stream', async () => {
    expect((await sh('echo; echo fine; echo more')).detail).toBe('fine');
    expect((await sh('echo broken >&2; exit 3')).detail).toBe('exit code 3: broken');
  });

  it('death by a signal that is not ours says nothing', async () => {
    expect(await sh('kill -SEGV $$')).toMatchObject({ result: 'unasked', detail: '/bin/sh was killed by SIGSEGV' });
  });

  it('a program that is missing, or may not be executed, could not be asked (monitors 11)', async () => {
    writeFileSync(at('plain'), 'no program');
    expect(await ask(['/no/such/program'])).toMatchObject({
      result: 'unasked',
      detail: '/no/such/program: no such program',
    });
    expect((await ask(['no-such-program'])).detail).toBe('no-such-program: no such program');
    expect((await ask([at('plain')])).detail).toMatch(/may not execute it$/);
  });
});

describe('a program', () => {
  it('leads a session of its own, in /, without stdin and with what its user has', async () => {
    const detail = (await sh('read line; echo "$(cut -d " " -f 6 /proc/$$/stat) $$ $PWD $UPKEEP_SERVICE $HOME|$line"'))
      .detail;
    const [pid] = started;
    expect(detail).toBe(`${pid} ${pid} / web |`);
  });

  it('that hangs is killed at its deadline with all that it has forked (monitors 10, supervisors 23)', async () => {
    const text = `trap '' TERM; (trap '' TERM; echo $$ > /dev/null; exec sleep 600) & echo $! > "$1/child"; sleep 600`;
    expect(await sh(text, 'upkeep', 1500)).toMatchObject({
      result: 'failed',
      detail: 'did not end within 1.5 s, killed',
    });
    const child = await pidIn(at('child'));
    await expect.poll(() => [child, ...started].some(isAlive), PATIENCE).toBe(false);
  });

  it('that has made groups of its own is killed with these', async () => {
    // With job control each job is a group.
    const text = 'set -m; sleep 600 & echo $! > "$1/child"; sleep 600';
    expect((await sh(text, 'upkeep', 1500)).result).toBe('failed');
    const child = await pidIn(at('child'));
    await expect.poll(() => isAlive(child), PATIENCE).toBe(false);
  });

  it('that waits for one in a session of its own is killed with it, and with what that has started', async () => {
    const text = `setsid -w sh -c 'setsid -w sleep 600 & echo $! > "$1/child"; wait' sh "$1"; sleep 600`;
    expect((await sh(text, 'upkeep', 1500)).result).toBe('failed');
    const child = await pidIn(at('child'));
    await expect.poll(() => isAlive(child), PATIENCE).toBe(false);
  });

  it('that ends and leaves a child at its pipes has answered, and the child ends', async () => {
    expect(await sh('sleep 600 & echo $! > "$1/child"; echo done')).toMatchObject({ result: 'good', detail: 'done' });
    const child = await pidIn(at('child'));
    await expect.poll(() => isAlive(child), PATIENCE).toBe(false);
  });

  it('that prints a gigabyte hangs in no pipe, and takes no memory (supervisors 23)', async () => {
    const before = process.memoryUsage().rss;
    expect((await sh('echo first; yes | head -c 1000000000; echo >&2 last', 'upkeep', 110_000)).detail).toBe('first');
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it('leaves no descriptor open, whatever becomes of it (monitors 11)', async () => {
    await sh('exit 0');
    const before = openFiles();
    for (let i = 0; i < 20; i += 1) {
      await sh('echo x; exit 1');
      await ask(['/no/such/program']);
    }
    await sh('sleep 600', 'upkeep', 300);
    await expect.poll(openFiles, PATIENCE).toBe(before);
  });
});
