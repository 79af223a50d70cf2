// The promise: the keeper tells whoever runs it how it is, shows that it makes progress, and says what it could not have.

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { type Running, signal } from '../support/running.js';

const RECEIVER = fileURLToPath(new URL('../support/notify-receiver.pl', import.meta.url));

async function receiver(home: Home): Promise<Running & { readonly path: string }> {
  const path = home.at('notify');
  const running = home.spawn(['perl', RECEIVER, path]);
  await home.until('the receiver', () => running.said().includes('listening'));
  return { ...running, path };
}

const count = (text: string, word: string): number => text.split(word).length - 1;

describe('whoever runs the keeper', () => {
  it('is told READY once it keeps, WATCHDOG as often as wanted, STATUS when it changes, and STOPPING', async () => {
    const home = newHome();
    home.configure({
      web: { run: 'sleep 1000' },
      bad: { run: 'false', restart: { limit: '1 in 5m', then: 'give-up' } },
    });
    const heard = await receiver(home);
    const keeper = await home.start([], { env: { NOTIFY_SOCKET: heard.path, WATCHDOG_USEC: '400000' } });
    const { said } = heard;
    await home.until('three signs of life', () => count(said(), 'WATCHDOG=1') >= 3);
    await home.until('the status', () => said().includes('STATUS=keeping 2 services, 1 failed'));
    expect(count(said(), 'READY=1')).toBe(1);
    expect(said().indexOf('READY=1')).toBeLessThan(said().indexOf('WATCHDOG=1'));
    signal(keeper.pid, 'SIGSTOP');
    let stopped = 0;
    // What it had said before may still be on its way to us.
    await home.until('no sign of life for seven times as long', async () => {
      stopped = count(said(), 'WATCHDOG=1');
      await pause(1400);
      return count(said(), 'WATCHDOG=1') === stopped;
    });
    signal(keeper.pid, 'SIGCONT');
    await home.until('more signs of life', () => count(said(), 'WATCHDOG=1') > stopped);
    expect(said()).not.toContain('STOPPING');
    await keeper.end('SIGTERM');
    await home.until('the last word', () => said().includes('STOPPING=1'));
    expect(count(said(), 'STATUS=keeping 2 services, 1 failed')).toBe(1);
  });

  it('is told nothing by a keeper whose watchdog is for another process', async () => {
    const home = newHome();
    home.configure({});
    const heard = await receiver(home);
    const env = { NOTIFY_SOCKET: heard.path, WATCHDOG_USEC: '200000', WATCHDOG_PID: '1' };
    const keeper = await home.start([], { env });
    await home.until('READY', () => heard.said().includes('READY=1'));
    await pause(500);
    expect(heard.said()).not.toContain('WATCHDOG');
    await keeper.end('SIGTERM');
  });
});

describe('the progress stamp', () => {
  const at = (home: Home): number => Number(home.read('run/progress').split(' ')[0]);

  it('names the keeper, moves while the loop turns, and stands still with one that was stopped, which tells it afterwards', async () => {
    const home = newHome();
    home.configure({});
    const keeper = await home.start();
    await home.until('a stamp', () => home.read('run/progress').endsWith(` ${keeper.pid}\n`));
    const first = at(home);
    const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    expect(up).toBeGreaterThanOrEqual(first);
    await home.until('another', () => at(home) > first);
    // One that is stopped before it knows that the stamp is written leaves out the next, and another takes 20 s more.
    await home.status();
    signal(keeper.pid, 'SIGSTOP');
    const last = at(home);
    await pause(24_000);
    expect(at(home)).toBe(last);
    signal(keeper.pid, 'SIGCONT');
    await home.until('another', () => at(home) > last);
    await home.until('the word of it', () => /the keeper stood still for at least /.test(keeper.said()));
    // A slow machine may add stalls of its own.
    const answer = await home.get('/v1/keeper');
    expect(answer).toMatchObject({ body: { counters: { stalls: expect.any(Number), suspensions: 0 } } });
    expect(answer).not.toMatchObject({ body: { counters: { stalls: 0 } } });
  });
});

describe('when memory runs out', () => {
  it('the keeper goes last where it may, and its services get the score from before', async () => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000' }, soft: { run: 'sleep 1000', oomScoreAdjust: 400 } });
    const score = (pid: number): string => readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim();
    const before = score(process.pid);
    const keeper = await home.start();
    expect(score(await home.running('web'))).toBe(before);
    expect(score(await home.running('soft'))).toBe('400');
    const { without } = (await home.status()).keeper;
    expect(score(keeper.pid)).toBe(without.includes('oomScore') ? before : '-900');
  });
});

describe('how the keeper before ended', () => {
  const told = async (home: Home): Promise<unknown> => {
    const answer = await home.get('/v1/keeper');
    return answer.type === 'ok' ? (answer.body as { before: unknown }).before : answer;
  };
  const WORD = /the keeper before /;

  it('is told once, and by status --keeper, when nobody asked for that end', async () => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000' } });
    const first = await home.start();
    const pid = await home.running('web');
    expect(await told(home)).toBeNull();
    await first.end('SIGKILL');
    const second = await home.start();
    const text = `the keeper before (pid ${first.pid}) was killed or crashed, nobody saw how; nobody was here for at most `;
    expect(second.said().split(text)).toHaveLength(2);
    expect(await told(home)).toMatchObject({ pid: first.pid, cause: 'unknown', grade: 'unknown' });
    expect((await home.upkeep('status', '--keeper')).stdout).toContain(text);
    expect(await home.running('web')).toBe(pid);
    // The next end is a wanted one.
    await second.end('SIGTERM');
    const third = await home.start();
    expect(third.said()).not.toMatch(WORD);
    expect(await told(home)).toBeNull();
  });

  it('is nothing to tell of after a shutdown that leaves the services, or an upgrade', async () => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000' } });
    const first = await home.start();
    expect((await home.upkeep('shutdown', '--leave')).code).toBe(0);
    await first.ended;
    const second = await home.start();
    expect(await told(home)).toBeNull();
    expect((await home.upkeep('upgrade')).code).toBe(0);
    await home.until('the program after', () => second.said().split(`(pid ${second.pid})`).length === 3);
    expect(await told(home)).toBeNull();
    expect(first.said() + second.said()).not.toMatch(WORD);
    // The program after has a record of its own.
    await second.end('SIGKILL');
    await home.start();
    expect(await told(home)).toMatchObject({ pid: second.pid });
  });

  it('is known to the guard that waited for it', async () => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000' } }, { keeper: { guard: true } });
    const guard = await home.start();
    const { pid } = (await home.status()).keeper;
    signal(pid, 'SIGKILL');
    await home.until('the word of it', () => WORD.test(guard.said()));
    expect(guard.said()).toContain(
      `the keeper before (pid ${pid}) ended with status 137, which is signal 9 or that exit code; nobody was here for at most `,
    );
  });
});

const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

const rss = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);

it('its memory is bounded, whatever services print and clients send (supervisors 35)', async () => {
  const home = newHome();
  const restart = { delay: '0s', limit: 'none', backoff: { max: '0s' } };
  home.configure({
    web: { run: 'sleep 1000' },
    loud: { run: ['perl', '-e', '$x = "y" x 1e6; print $x for 1..100; sleep 1000'] },
    flaps: { run: 'true', restart },
  });
  const keeper = await home.start();
  await home.running('web');
  const send = (text: string): void => {
    const socket = connect(home.socket, () => socket.pause());
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(text);
  };
  for (let i = 0; i < 200; i += 1) send('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
  for (let i = 0; i < 50; i += 1) send(`GET /v1/status HTTP/1.1\r\nX: ${'x'.repeat(1 << 20)}\r\n\r\n`);
  for (let i = 0; i < 50; i += 1)
    send(`POST /v1/services/web/hold HTTP/1.1\r\nHost: x\r\nContent-Length: 1048000\r\n\r\n${'x'.repeat(1_047_000)}`);
  let most = 0;
  for (let i = 0; i < 60; i += 1) {
    most = Math.max(most, rss(keeper.pid));
    await pause(100);
  }
  expect(most).toBeLessThan(300 * 1024);
  expect((await home.status()).services).toHaveLength(3);
});
