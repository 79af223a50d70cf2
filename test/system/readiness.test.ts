// The promise: a start counts when the service says, by whatever it has to say it with, that it serves.

import { describe, expect, it } from 'vitest';
import { newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

/** Listens when the file `go` is there. */
const SERVER = `
const [kind, place, go] = process.argv.slice(2);
const { existsSync } = require('node:fs');
const server = kind === 'http'
  ? require('node:http').createServer((_, response) => { response.statusCode = existsSync(go) ? 204 : 503; response.end(); })
  : require('node:net').createServer((socket) => socket.end());
const listen = () => server.listen(kind === 'socket' ? place : { port: Number(place), host: '127.0.0.1' });
if (kind === 'http') listen();
else setInterval(() => { if (!server.listening && existsSync(go)) listen(); }, 20);
`;

/** Ports of this process's own, below the range from which the kernel takes the others. */
const port = 20_000 + (process.pid % 9_000);

describe('a service is starting until', () => {
  const cases: readonly (readonly [
    string,
    (go: string, at: (name: string) => string) => { run: unknown; ready: unknown },
  ])[] = [
    [
      'something listens on its port',
      (go, at) => ({ run: [process.execPath, at('server.cjs'), 'port', port, go], ready: { port } }),
    ],
    [
      'something listens on its socket',
      (go, at) => ({ run: [process.execPath, at('server.cjs'), 'socket', at('s'), go], ready: { socket: at('s') } }),
    ],
    [
      'its page answers well',
      (go, at) => ({
        run: [process.execPath, at('server.cjs'), 'http', port + 1, go],
        ready: { http: `http://127.0.0.1:${port + 1}/` },
      }),
    ],
    ['its command says so', (go) => ({ run: 'sleep 1000', ready: { exec: ['test', '-e', go] } })],
    [
      'it has printed the line',
      (go) => ({
        run: shell(`echo 'not yet ready'; ${waitFor(go)}; echo 'I am ready now'`),
        ready: { log: '^I am ready' },
      }),
    ],
    [
      'it has written a newline to the descriptor',
      (go) => ({ run: shell(`${waitFor(go)}; echo >&3`), ready: { fd: 3 } }),
    ],
  ];

  it.each(cases)('%s', async (_what, make) => {
    const home = newHome();
    const go = home.at('go');
    home.write('server.cjs', SERVER);
    home.configure({ web: make(go, (name) => home.at(name)) });
    const keeper = await home.start();
    const { process: begun } = await home.when('web', (is) => is.state === 'starting' && is.process !== null);
    const status = await home.upkeep('status', '--json');
    expect(status.code).toBe(5);
    expect(JSON.parse(status.stdout).services[0]).toMatchObject({
      state: 'starting',
      reason: 'waiting to become ready',
    });
    const waiting = home.upkeep('wait', 'web');
    expect((await home.upkeep('wait', 'web', '--timeout', '300ms')).code).toBe(5);
    home.write('go', '');
    expect((await waiting).code).toBe(0);
    expect(await home.running('web')).toBe(begun?.pid);
    await expect.poll(() => keeper.said(), { timeout: 10_000 }).toMatch(/web is running \(pid \d+\), ready after \d/);
  });

  it('it has lived for a while', async () => {
    const home = newHome();
    const run = shell(`[ -e '${home.at('second')}' ] || { touch '${home.at('second')}'; exit 0; }`);
    home.configure({ web: { run, ready: { alive: '700ms' } } });
    const keeper = await home.start();
    await home.running('web');
    // An end within that time is a failed start, whatever its exit code.
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/web failed to start: exited with code 0; trying again/);
    expect((await home.service('web')).restarts.total).toBe(1);
  });
});

describe('a service that is not ready in time', () => {
  it('is stopped, and that is a failed start, counted like every other (supervisors 14, 19)', async () => {
    const home = newHome();
    const restart = { delay: '1h', backoff: { max: '1h' } };
    home.configure({ web: { run: 'sleep 1000', ready: { port: port + 2, timeout: '400ms' }, restart } });
    const keeper = await home.start();
    const begun = await home.when('web', (is) => is.process !== null || is.state === 'backoff');
    const failed = await home.when('web', ({ state }) => state === 'backoff');
    expect(failed.lastDeath).toMatchObject({
      cause: 'start-timeout',
      text: 'was not ready within 0.4 s, stopped by us',
    });
    expect(failed.restarts.total).toBe(1);
    expect(isAlive(begun.process?.pid ?? 0)).toBe(false);
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/web failed to start: was not ready within 0.4 s, stopped by us; trying again in/);
    const start = await home.upkeep('start', 'web');
    expect([start.code, start.stderr]).toEqual([
      1,
      'upkeep: web: start failed: was not ready within 0.4 s, stopped by us\n',
    ]);
  });
});

function shell(line: string): readonly string[] {
  return ['sh', '-c', `${line}; exec sleep 1000`];
}

function waitFor(file: string): string {
  return `until [ -e '${file}' ]; do sleep 0.02; done`;
}
