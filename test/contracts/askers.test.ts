// The pool of askers with real askers: who asks, what they may, and what is left when somebody dies. Run as root they are really
// dropped to other users; else they are ourselves.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Question } from '../../src/core/question.js';
import { serviceName } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { lineOf } from '../../src/heartbeats/wire.js';
import { askerRights } from '../../src/kernel/asker-rights.js';
import { type AskerPool, askerProgram, openPool, script, someProcess } from '../support/askers.js';
import { heartbeat, supervised } from '../support/builders.js';
import { isAlive, pidIn } from '../support/running.js';

const isRoot = process.geteuid?.() === 0;
const PATIENCE = { timeout: 30_000, interval: 20 };

let pool: AskerPool;
let home: string;
let server: Server;
let port: number;

beforeEach(async () => {
  pool = openPool();
  home = mkdtempSync(join(tmpdir(), 'upkeep-askers-'));
  execFileSync('chmod', ['1777', home]);
  server = createServer((socket) => socket.on('error', () => undefined).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});
afterEach(async () => {
  await pool.close();
  server.close();
  rmSync(home, { recursive: true, force: true });
});

const tcp = (): Question => ({ kind: 'tcp', host: '127.0.0.1', port, send: null, expect: null, addresses: 'any' });
const hangs: Question = script('sleep 600');

const statusOf = (pid: number): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/status`, 'latin1')
      .split('\n')
      .map((line) => line.split(':\t') as [string, string])
      .map(([name, value]) => [name, value?.trim().replaceAll('\t', ' ')]),
  );

const onlyPid = (): number => {
  const [pid = -1, ...others] = pool.pids();
  expect(others).toEqual([]);
  return pid;
};

const descriptors = (pid: number | 'self'): number => readdirSync(`/proc/${pid}/fd`).length;

/** Who is root needs a capability for what everybody may do to himself. */
function setSoftLimit(pid: number, soft: number): void {
  const { Uid = '', Gid = '' } = statusOf(pid);
  const [uid = '', gid = ''] = [Uid, Gid].map((ids) => ids.split(' ')[0]);
  const options = isRoot ? { uid: Number(uid), gid: Number(gid) } : {};
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${soft}:`], options);
}

/** The asker is there and has answered. */
async function warm(): Promise<number> {
  expect(await pool.answerTo(pool.ask(tcp()))).toMatchObject({ result: 'good' });
  return onlyPid();
}

describe('an asker', () => {
  it('has no right that its user does not have, and no way to any (monitors 12)', async () => {
    const pid = await warm();
    const { Uid, Gid, Groups, ...status } = statusOf(pid);
    const id = (of: string): string => Array.from({ length: 4 }, () => of).join(' ');
    const nobody = isRoot ? askerRights({ user: 'nobody', group: null, service: { user: null, group: null } }) : null;
    const [uid, gid] =
      nobody?.type === 'rights' ? [nobody.uid, nobody.gid] : [process.getuid?.() ?? -1, process.getgid?.() ?? -1];
    expect([Uid, Gid]).toEqual([id(String(uid)), id(String(gid))]);
    if (isRoot) expect(Groups).toBe('');
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(status[name]).toBe('0000000000000000');
    expect(status.NoNewPrivs).toBe('1');
  });

  it('leads a session of its own in /, with nothing of ours in its environment', async () => {
    process.env.UPKEEP_CONFIG = '/etc/upkeep/secret-place.yaml';
    const pid = await warm();
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    expect(environment.filter((one) => one.startsWith('UPKEEP_'))).toEqual([]);
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]).toBe(String(pid));
    delete process.env.UPKEEP_CONFIG;
  });

  it.skipIf(!isRoot)(
    'starts programs as its user and with its one group, that see none of our descriptors (monitors 12, supervisors 23)',
    async () => {
      const question = pool.ask(
        script('echo "$(id -u):$(id -g):$(id -G) $(ls /proc/$$/fd | tr "\\n" ",") $USER $UPKEEP_HEARTBEAT"'),
        { user: 'daemon' },
      );
      const { detail } = await pool.answerTo(question);
      const uid = execFileSync('id', ['-u', 'daemon'], { encoding: 'utf8' }).trim();
      const gid = execFileSync('id', ['-g', 'daemon'], { encoding: 'utf8' }).trim();
      // A shell has one more: a pipe of its own, to what it runs between `$(` and `)`.
      expect(detail).toMatch(new RegExp(`^${uid}:${gid}:${gid} 0,1,2,(?:\\d+,)* ?daemon exec$`));
    },
  );

  it.skipIf(!isRoot)('that could not drop our rights asks nothing (seed 003: 125)', async () => {
    const ways = [
      ['kept', 'its user is 0, 0, 0, 0 instead of 65534'],
      // As by a setpriv that does nothing: what it runs may gain rights again.
      ['none', 'NoNewPrivs is not 1'],
    ] as const;
    for (const [groups, reason] of ways) {
      await pool.close();
      pool = openPool({
        rightsOf: () => ({ type: 'rights', uid: 65534, gid: 65534, groups, hop: ['/usr/bin/env'], env: {} }),
      });
      const { result, detail } = await pool.answerTo(pool.ask(script(`touch ${home}/asked`)));
      expect(result).toBe('unasked');
      expect(detail).toContain(reason);
      expect(existsSync(join(home, 'asked'))).toBe(false);
    }
  });

  it('ends with its keeper, and its programs with it', async () => {
    pool.ask(script(`echo $$ > ${home}/program; sleep 600`));
    const program = await pidIn(join(home, 'program'));
    const asker = onlyPid();
    pool.askers.close();
    await expect.poll(() => [asker, program].some(isAlive), PATIENCE).toBe(false);
  });
});

it('an asker whose keeper was killed ends at once, and its programs with it', async () => {
  const rights = askerRights({ user: null, group: null, service: { user: null, group: null } });
  if (rights.type === 'refused') throw new Error(rights.reason);
  const [setpriv, ...flags] = rights.hop;
  const words = [
    ...flags,
    process.execPath,
    askerProgram.pathname,
    String(rights.uid),
    String(rights.gid),
    rights.groups,
  ];
  const asker = spawn(setpriv, words, { env: rights.env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => asker.once('close', resolve));
  await new Promise((resolve) => asker.stdout.once('data', resolve));
  const { question } = heartbeat({ question: script(`echo $$ > ${home}/program; sleep 600`) });
  if (question.kind === 'process') throw new Error('nobody asks that');
  const order = { id: 1, service: 'web', heartbeat: 'page', question, timeout: seconds(100), secrets: {} } as const;
  asker.stdin.write(lineOf({ type: 'ask', trace: 'no', ...order }));
  const program = await pidIn(join(home, 'program'));
  asker.stdin.destroy();
  asker.stdout.destroy();
  await ended;
  await expect.poll(() => isAlive(program), PATIENCE).toBe(false);
});

describe('an asker that dies or hangs (monitors 11)', () => {
  it('of kill -9 could not ask what was open, leaves no program, and the next question finds another', async () => {
    const dead = await warm();
    const question = pool.ask(script(`echo $$ > ${home}/program; sleep 600`), { timeout: seconds(100) });
    const program = await pidIn(join(home, 'program'));
    process.kill(dead, 'SIGKILL');
    expect(await pool.answerTo(question)).toMatchObject({
      result: 'unasked',
      detail: 'the asker ended: killed by SIGKILL',
    });
    await expect.poll(() => isAlive(program), PATIENCE).toBe(false);
    expect(await warm()).not.toBe(dead);
  });

  it('of SIGSTOP is noticed by the deadline that it misses, and replaced', async () => {
    const stopped = await warm();
    process.kill(stopped, 'SIGSTOP');
    expect(await pool.answerTo(pool.ask(tcp(), { timeout: millis(500) }))).toMatchObject({
      result: 'unasked',
      detail: 'the asker did not answer in time',
    });
    expect(await warm()).not.toBe(stopped);
    await expect.poll(() => isAlive(stopped), PATIENCE).toBe(false);
  });

  it('without a descriptor left could not ask, and asks again when there are some', async () => {
    const pid = await warm();
    const limit = (soft: number): void => setSoftLimit(pid, soft);
    limit(descriptors(pid));
    expect(await pool.answerTo(pool.ask(tcp()))).toMatchObject({ result: 'unasked' });
    limit(1000);
    expect(await pool.answerTo(pool.ask(tcp()))).toMatchObject({ result: 'good' });
  });
});

describe('many questions', () => {
  it('are asked at once: one that hangs delays no other (monitors 7)', async () => {
    const slow = pool.ask(hangs, { timeout: seconds(100) });
    for (let i = 0; i < 20; i += 1) await warm();
    expect(pool.answered.all.map(({ question }) => question)).not.toContain(slow);
  });

  it('whose programs all hang wait for their turn within their own time, which is nobody’s failure', async () => {
    const first = Array.from({ length: 8 }, () => pool.ask(hangs, { timeout: seconds(100) }));
    const { result, detail } = await pool.answerTo(pool.ask(script('exit 0'), { timeout: millis(1000) }));
    expect([result, detail]).toEqual(['unasked', 'other questions took all turns for 1 s']);
    pool.askers.stop(serviceName('web'));
    expect(await pool.answerTo(pool.ask(script('exit 0')))).toMatchObject({ result: 'good' });
    expect(pool.answered.all.some(({ question }) => first.includes(question))).toBe(false);
  });

  it('ten thousand of them leave the descriptors of keeper and asker as they were (supervisors 23)', async () => {
    const asker = await warm();
    const [ours, theirs] = [descriptors('self'), descriptors(asker)];
    const TOGETHER = 100;
    let last = 0;
    for (let round = 0; round < 10_000 / TOGETHER; round += 1) {
      for (let i = 0; i < TOGETHER; i += 1) last = pool.ask(tcp());
      await pool.answered.until(last);
    }
    expect(pool.answered.all.every(({ answer }) => answer.result === 'good')).toBe(true);
    expect(onlyPid()).toBe(asker);
    await expect.poll(() => descriptors(asker), PATIENCE).toBeLessThanOrEqual(theirs);
    await expect.poll(() => descriptors('self'), PATIENCE).toBeLessThanOrEqual(ours);
  });
});

describe('what nobody waits for any more', () => {
  it('has its program killed, with its group', async () => {
    pool.ask(script(`sleep 600 & echo $! > ${home}/child; wait`), { timeout: seconds(100) });
    const child = await pidIn(join(home, 'child'));
    pool.askers.stop(serviceName('web'));
    await expect.poll(() => isAlive(child), PATIENCE).toBe(false);
    expect(pool.answered.all).toEqual([]);
  });
});

it('secrets reach the asker by its pipe alone, and no answer holds them', async () => {
  await pool.close();
  const word = 'open-sesame-4711';
  writeFileSync(join(home, 'word'), `${word}\n`, { mode: 0o600 });
  pool = openPool();
  // A Redis that tells everybody what it was told.
  const echo = createServer((socket) =>
    socket
      .on('error', () => undefined)
      // Two commands, two answers.
      .on('data', (data) => socket.write(`-ERR ${data.toString().replaceAll(/\s+/g, ' ')}\r\n`.repeat(2))),
  );
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const address = echo.address();
  const at = { type: 'tcp', host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 } as const;
  const password = { type: 'file', path: join(home, 'word') } as const;
  const { result, detail } = await pool.answerTo(pool.ask({ kind: 'redis', at, password }));
  expect(result).not.toBe('unasked');
  expect(detail).toContain('***');
  expect(detail).not.toContain(word);
  const pid = onlyPid();
  for (const file of ['cmdline', 'environ']) expect(readFileSync(`/proc/${pid}/${file}`, 'utf8')).not.toContain(word);
  echo.close();
});

it('whoever asks to see it is told each step with its time', async () => {
  const question: Question = { ...tcp(), host: 'localhost' } as Question;
  const { answer, steps } = await pool.askers.test(supervised(), heartbeat({ question }), someProcess);
  expect(answer.result).toBe('good');
  expect(steps.map(({ name }) => name)).toContain('connect');
});
