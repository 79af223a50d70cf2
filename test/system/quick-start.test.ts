// The promise of the README: `npm start` keeps three small processes up, without root, and what it says to try works.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/quick-start.yaml', import.meta.url));
// Somebody may be trying out `npm start` on this machine.
const PORT = 20_000 + (process.pid % 9_000);

/** What the web server of the example says; nothing where nobody listens. */
function page(): Promise<string> {
  return new Promise((resolve) => {
    const asking = request({ host: '127.0.0.1', port: PORT, agent: false }, (answer) => {
      answer.setEncoding('utf8').on('data', resolve);
    });
    asking.on('error', () => resolve(''));
    asking.end();
  });
}

describe('the quick start', () => {
  it('does what `npm start` says: ask, kill, look again, follow the log, stop and start', async () => {
    const home = newHome();
    home.write('upkeep.yaml', readFileSync(EXAMPLE, 'utf8').replaceAll('8099', String(PORT)));
    expect(await home.upkeep('check')).toMatchObject({ code: 0, stderr: '' });
    const keeper = await home.start();
    const pid = await home.running('web');
    expect(await page()).toBe(`I am process ${pid}\n`);
    const said = expect.poll(() => keeper.said(), { timeout: 10_000 });
    await said.toMatch(/web: The web server is running \(pid \d+\), ready after/);

    expect(await home.upkeep('signal', 'web', 'SIGKILL')).toMatchObject({ code: 0, stdout: 'web  signal sent\n' });
    const next = await home.running('web', pid);
    expect(await page()).toBe(`I am process ${next}\n`);
    const card = await home.upkeep('status', 'web');
    expect(card).toMatchObject({ code: 0, stdout: expect.stringMatching(/last death +killed by SIGKILL/) });

    await home.when('web', ({ health }) => health.state === 'ok');
    expect((await home.upkeep('signal', 'web', 'SIGSTOP')).code).toBe(0);
    const healed = await home.running('web', next);
    expect(await page()).toBe(`I am process ${healed}\n`);
    expect((await home.service('web')).lastDeath?.cause).toBe('heartbeat');

    await home.until('a line of the ticker', () => home.read('log/ticker.log') !== '');
    const log = await home.upkeep('logs', 'ticker', '-n', '1');
    expect(log.code).toBe(0);
    expect(log.stdout).toMatch(/\d\d:\d\d:\d\d/);

    await home.when('flaky', ({ restarts }) => restarts.total > 0);
    expect((await home.upkeep('status', 'flaky')).stdout).toMatch(/exited with code 1/);
    const { process: ticker } = await home.service('ticker');
    expect((await home.upkeep('stop', 'ticker')).code).toBe(0);
    expect((await home.upkeep('start', 'ticker')).code).toBe(0);
    expect(await home.running('ticker')).not.toBe(ticker?.pid);

    expect((await keeper.end('SIGINT')).code).toBe(0);
    expect([await page(), isAlive(healed)]).toEqual(['', false]);
  });
});
