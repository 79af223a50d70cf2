// The courier as a real process: what it sends, what it removes, and what is left when somebody dies.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Letter } from '../../src/core/notice.js';
import type { Channel } from '../../src/core/notice-spec.js';
import { millis } from '../../src/core/time.js';
import { type Courier, openStage, type Stage, startCourier } from '../support/courier.js';
import { letter, notice } from '../support/letters.js';

const PATIENCE = { timeout: 30_000, interval: 20 };
const DEADLINE = 30_000;

let stage: Stage;
let couriers: Courier[];

beforeEach(() => {
  stage = openStage();
  couriers = [];
});
afterEach(async () => {
  for (const { process, ended } of couriers) {
    process.kill('SIGKILL');
    await ended;
  }
  stage.close();
});

function courierFor(channels: Readonly<Record<string, Channel>>): Courier {
  const courier = startCourier(stage.outbox, channels);
  couriers.push(courier);
  return courier;
}

const named = (id: string, channel: string): Letter => ({ ...letter(), id, channel });

/** A shell script as an exec channel. */
function script(text: string, timeout: number | null = 30_000, user: string | null = null): Channel {
  const argv = ['/bin/sh', '-c', text, 'page'];
  return { type: 'exec', command: { argv, timeout: timeout === null ? null : millis(timeout), user } };
}

const at = (name: string): string => join(stage.directory, name);

async function deliver(channel: Channel, sent: Letter = named('one', 'page')) {
  stage.put(sent);
  const courier = courierFor({ page: channel });
  courier.say({ type: 'send', id: sent.id, channel: 'page', deadline: DEADLINE });
  return courier.resultOf(sent.id);
}

const isAlive = (pid: number): boolean => {
  try {
    // A zombie is nobody.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const hasOpen = (pid: number, path: string): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === path;
    } catch {
      return false; // closed meanwhile
    }
  });

const pidIn = async (path: string): Promise<number> => {
  await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'), PATIENCE).toBe(true);
  return Number(readFileSync(path, 'utf8'));
};

describe('the channel exec', () => {
  it('gives the letter as JSON and its first notice as variables, and the file of the letter is gone', async () => {
    const delivery = await deliver(
      script(`cat > ${at('json')}; env > ${at('env')}; pwd >> ${at('env')}; echo paged alice`),
    );
    expect(delivery).toEqual({ type: 'delivered', answer: '/bin/sh ended with exit code 0: paged alice' });
    expect(stage.waiting()).toEqual([]);
    expect(JSON.parse(readFileSync(at('json'), 'utf8'))).toMatchObject({
      version: 1,
      host: 'web3',
      notices: [{ service: 'worker', incident: 'w-3fq9' }],
    });
    const env = readFileSync(at('env'), 'utf8');
    expect(env).toMatch(/^UPKEEP_LABEL=DOWN$/m);
    expect(env).toMatch(/^UPKEEP_SERVICE=worker$/m);
    expect(env).toMatch(/^UPKEEP_HEADLINE=exit 1 after 4 s, 5th in 10 min, retrying in 30 s$/m);
    expect(env).toMatch(/^UPKEEP_COUNT=1$/m);
    expect(env).not.toMatch(/^UV_THREADPOOL_SIZE|^NODE_|^VITEST/m);
  });

  it('leaves nothing in a variable that does anything in a terminal, and no line more', async () => {
    const evil = notice({ headline: 'it said \u001b[31m$(reboot)\r\nTo: all\u0000', service: 'a`id`' });
    await deliver(script(`printf '%s|%s' "$UPKEEP_HEADLINE" "$UPKEEP_SERVICE" > ${at('said')}`), {
      ...letter(evil),
      id: 'evil',
      channel: 'page',
    });
    expect(readFileSync(at('said'), 'utf8')).toBe('it said $(reboot) To: all|a`id`');
  });

  it.each([
    ['exit 75', 'asks to be tried again later (exit code 75)'],
    ['echo no line to the pager >&2; exit 3', 'ended with exit code 3: no line to the pager'],
    ['kill -SEGV $$', 'was killed by SIGSEGV'],
  ])('keeps the letter when the program does `%s`', async (text, reason) => {
    expect(await deliver(script(text))).toEqual({ type: 'later', reason: `/bin/sh ${reason}` });
    expect(stage.waiting()).toEqual(['one']);
  });

  it('keeps the letter when there is no such program, or no such user', async () => {
    const command = (argv: readonly string[], user: string | null): Channel => ({
      type: 'exec',
      command: { argv, timeout: null, user },
    });
    const courier = courierFor({ a: command(['/no/such/page'], null), b: command(['true'], 'nobody-knows') });
    stage.put(named('one', 'a'), named('two', 'b'));
    courier.say({ type: 'send', id: 'one', channel: 'a', deadline: DEADLINE });
    courier.say({ type: 'send', id: 'two', channel: 'b', deadline: DEADLINE });
    expect(await courier.resultOf('one')).toEqual({ type: 'later', reason: '/no/such/page: no such file' });
    expect(await courier.resultOf('two')).toEqual({ type: 'later', reason: 'no such user: nobody-knows' });
  });

  it('kills a program that hangs, with its children', async () => {
    const delivery = await deliver(script(`sleep 600 & echo $! > ${at('child')}; trap '' TERM; wait`, 1000));
    expect(delivery).toEqual({ type: 'later', reason: '/bin/sh did not end within 1 s and was killed' });
    const child = await pidIn(at('child'));
    await expect.poll(() => isAlive(child), PATIENCE).toBe(false);
  });

  it('does not wait for what a program left behind with its pipes open, and leaves it alone', async () => {
    const delivery = await deliver(script(`sleep 600 & echo $! > ${at('child')}; echo done`, null));
    expect(delivery).toEqual({ type: 'delivered', answer: '/bin/sh ended with exit code 0: done' });
    const child = await pidIn(at('child'));
    expect(isAlive(child)).toBe(true);
    process.kill(child, 'SIGKILL');
  });

  it('reads what a program prints without end, and is not hurt by one that reads nothing', async () => {
    const long = notice({ story: Array.from({ length: 20_000 }, (_, i) => `line ${i} of what happened`) });
    const delivery = await deliver(script('exec <&-; head -c 20000000 /dev/zero | tr "\\0" x; exit 1'), {
      ...letter(long),
      id: 'long',
      channel: 'page',
    });
    expect(delivery.type === 'later' && delivery.reason.length).toBeLessThan(400);
  });

  it.runIf(process.getuid?.() === 0)('runs it as the user that was named', async () => {
    // Only what it prints: that user may write nothing here.
    const delivery = await deliver(script('echo "$(id -un) $HOME $USER"', 30_000, 'nobody'));
    expect(delivery).toEqual({
      type: 'delivered',
      answer: '/bin/sh ended with exit code 0: nobody /nonexistent nobody',
    });
  });
});

describe('the channel file', () => {
  const file = (path: string): Channel => ({ type: 'file', path });

  it('writes a line for each notice, behind what is there', async () => {
    writeFileSync(at('log'), 'cut off by a full di');
    const two = { ...letter(notice(), notice({ headline: 'x\r\ny', incident: null })), id: 'two', channel: 'page' };
    expect(await deliver(file(at('log')), two)).toMatchObject({ type: 'delivered' });
    expect(readFileSync(at('log'), 'utf8').split('\n')).toEqual([
      'cut off by a full di',
      '2026-11-20T10:00:00.000Z web3 [DOWN] worker: exit 1 after 4 s, 5th in 10 min, retrying in 30 s (incident w-3fq9)',
      '2026-11-20T10:00:00.000Z web3 [DOWN] worker: x y',
      '',
    ]);
  });

  it('takes no link, no FIFO that nobody reads, and no directory', async () => {
    symlinkSync(at('elsewhere'), at('link'));
    execFileSync('mkfifo', [at('fifo')]);
    const courier = courierFor({ link: file(at('link')), fifo: file(at('fifo')), dir: file(stage.directory) });
    for (const channel of ['link', 'fifo', 'dir']) {
      stage.put(named(channel, channel));
      courier.say({ type: 'send', id: channel, channel, deadline: DEADLINE });
    }
    expect(await courier.resultOf('link')).toEqual({
      type: 'later',
      reason: `${at('link')} is a link; name the file itself`,
    });
    expect(await courier.resultOf('fifo')).toEqual({ type: 'later', reason: `${at('fifo')} is no plain file` });
    expect(await courier.resultOf('dir')).toEqual({
      type: 'later',
      reason: `${stage.directory} cannot be written (EISDIR)`,
    });
    expect(existsSync(at('elsewhere'))).toBe(false);
  });
});

describe('the courier', () => {
  it('sends to one channel while another hangs', async () => {
    stage.put(named('slow', 'slow'), named('quick', 'quick'));
    const courier = courierFor({
      slow: script(`while [ -e ${stage.outbox} ]; do sleep 0.1; done`),
      quick: script('true'),
    });
    courier.say({ type: 'send', id: 'slow', channel: 'slow', deadline: DEADLINE });
    courier.say({ type: 'send', id: 'quick', channel: 'quick', deadline: DEADLINE });
    expect((await courier.resultOf('quick')).type).toBe('delivered');
    expect(courier.heard.all.some((message) => message.type === 'result' && message.id === 'slow')).toBe(false);
  });

  it('breaks a letter off at its deadline, whatever the channel', async () => {
    stage.put(named('slow', 'slow'));
    const courier = courierFor({ slow: script('exec sleep 600', null) });
    courier.say({ type: 'send', id: 'slow', channel: 'slow', deadline: 300 });
    expect(await courier.resultOf('slow')).toEqual({
      type: 'later',
      reason: '/bin/sh was killed, because its time was over',
    });
  });

  it('finishes what it is sending when its keeper is killed, and the next one waits for that (monitors 29)', async () => {
    stage.put(named('one', 'page'));
    const page = script(
      `echo begun >> ${at('told')}; while [ ! -e ${at('go')} ]; do sleep 0.05; done; echo told >> ${at('told')}`,
    );
    const first = courierFor({ page });
    first.say({ type: 'send', id: 'one', channel: 'page', deadline: DEADLINE });
    await expect.poll(() => existsSync(at('told')), PATIENCE).toBe(true);
    first.orphan();
    const second = courierFor({ page, other: script('true') });
    second.say({ type: 'send', id: 'one', channel: 'page', deadline: DEADLINE });
    await expect.poll(() => hasOpen(second.pid, join(stage.outbox, 'lock.page')), PATIENCE).toBe(true);
    // A few looks at the lock, each of which finds it taken.
    await pause(300);
    expect(second.heard.all).toEqual([{ type: 'ready' }]);
    // Another channel does not wait for that.
    stage.put(named('two', 'other'));
    second.say({ type: 'send', id: 'two', channel: 'other', deadline: DEADLINE });
    expect((await second.resultOf('two')).type).toBe('delivered');
    writeFileSync(at('go'), '');
    expect(await second.resultOf('one')).toEqual({ type: 'delivered', answer: 'it was delivered before' });
    expect(await first.ended).toEqual({ code: 0, by: null });
    expect(readFileSync(at('told'), 'utf8')).toBe('begun\ntold\n');
    expect(stage.waiting()).toEqual([]);
  });

  it('leaves the letter to the next one when it is killed itself, also while it is stopped', async () => {
    stage.put(named('one', 'page'));
    const page = script(`echo begun >> ${at('told')}; while [ ! -e ${at('go')} ]; do sleep 0.05; done`);
    const first = courierFor({ page });
    first.say({ type: 'send', id: 'one', channel: 'page', deadline: DEADLINE });
    await expect.poll(() => existsSync(at('told')), PATIENCE).toBe(true);
    first.process.kill('SIGSTOP');
    first.process.kill('SIGKILL');
    expect((await first.ended).by).toBe('SIGKILL');
    expect(stage.waiting()).toEqual(['one']);
    writeFileSync(at('go'), '');
    const second = courierFor({ page });
    second.say({ type: 'send', id: 'one', channel: 'page', deadline: DEADLINE });
    expect((await second.resultOf('one')).type).toBe('delivered');
    expect(stage.waiting()).toEqual([]);
  });

  it('ends by itself when there is nothing to do and nobody to speak to', async () => {
    const courier = courierFor({});
    await courier.heard.until(1);
    courier.process.stdin?.end();
    expect(await courier.ended).toEqual({ code: 0, by: null });
  });

  it('drops a letter that is damaged, and says so', async () => {
    stage.put(named('one', 'page'));
    writeFileSync(join(stage.outbox, 'one.json'), '{"version":1,');
    const courier = courierFor({ page: script('true') });
    courier.say({ type: 'send', id: 'one', channel: 'page', deadline: DEADLINE });
    expect(await courier.resultOf('one')).toEqual({
      type: 'refused',
      reason: expect.stringMatching(/one\.json is damaged$/),
    });
  });

  it('tells of a test what is done and said', async () => {
    const courier = courierFor({ page: script('echo on its way') });
    courier.say({ type: 'test', letter: named('test-1', 'page'), deadline: DEADLINE });
    expect((await courier.resultOf('test-1')).type).toBe('delivered');
    expect(courier.heard.all.flatMap((message) => (message.type === 'talk' ? [message.line] : []))).toEqual([
      expect.stringMatching(/^running \/bin\/sh -c/),
      'it says: on its way',
    ]);
  });

  it('says what keeps it from sending on a channel, and sends on the others', async () => {
    symlinkSync('/dev/null', join(stage.outbox, 'lock.page'));
    stage.put(named('one', 'page'), named('two', 'other'));
    const courier = courierFor({ page: script('true'), other: script('true') });
    courier.say({ type: 'send', id: 'one', channel: 'page', deadline: DEADLINE });
    courier.say({ type: 'send', id: 'two', channel: 'other', deadline: DEADLINE });
    expect(await courier.resultOf('one')).toEqual({ type: 'later', reason: expect.stringMatching(/ELOOP/) });
    expect((await courier.resultOf('two')).type).toBe('delivered');
    expect(stage.waiting()).toEqual(['one']);
  });
});
