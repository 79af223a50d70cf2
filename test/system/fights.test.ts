// The promise: whoever stops again and again what Upkeep starts is named, and Upkeep keeps out of the fight for a while.

import { expect, it } from 'vitest';
import { newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';

/** Looks every moment for a pid in a file, and whenever the process lives long enough to be ready asks it to end. */
const OPPONENT = `while :; do
  pid=$(cat "$1" 2>/dev/null) && [ "$pid" != "$last" ] && sleep 1 && kill -TERM "$pid" && last=$pid && echo hit >> "$2"
  sleep 0.1
done`;

it('another keeper that stops what we start is named in the log and the status, over the death of our own too', async () => {
  const home = newHome();
  const service = ['sh', '-c', `echo $$ > "${home.at('web.pid')}"; exec sleep 1000`];
  home.configure({
    web: { description: 'The shop', run: service },
    crash: { run: ['sh', '-c', 'sleep 0.3; exit 1'], restart: { limit: 'none', backoff: { max: '300ms' } } },
  });
  const script = home.write('opponent.sh', OPPONENT, 0o755);
  const first = await home.start();
  const opponent = home.spawn(['sh', script, home.at('web.pid'), home.at('hits')]);
  const is = await home.when('web', ({ fight }) => fight !== null);
  expect(is).toMatchObject({
    state: 'backoff',
    process: null,
    reason: expect.stringMatching(/^next try in \d min: somebody stops it again and again, killed by SIGTERM/),
    next: { what: 'start', at: expect.any(String), why: 'fight', waitsFor: [] },
    fight: {
      times: 3,
      next: is.next?.at,
      text: expect.stringMatching(/^SIGTERM 3 times in .* s, each .* after we started it/),
    },
  });
  expect(home.read('hits').split('\n').length).toBeGreaterThanOrEqual(3);
  expect(first.said()).toMatch(
    /web: somebody stops The shop again and again: SIGTERM 3 times in .*; starting it in 5 min/,
  );
  // Crashes are no fight.
  await home.when('crash', ({ restarts }) => restarts.total >= 4);
  expect((await home.service('crash')).fight).toBeNull();

  const table = await home.upkeep('status');
  expect(table.stdout).toMatch(/web +backoff .*start in \d+ min, out of a fight: somebody stops it again and again/);
  expect((await home.upkeep('status', 'web')).stdout).toMatch(/fight +SIGTERM 3 times in/);

  await first.end('SIGKILL');
  const second = await home.start();
  const { since, times, next, text } = (await home.service('web')).fight ?? {};
  expect({ times, text }).toEqual({ times: 3, text: is.fight?.text });
  for (const [before, after] of [
    [is.fight?.since, since],
    [is.fight?.next, next],
  ])
    expect(Math.abs(Date.parse(after ?? '') - Date.parse(before ?? ''))).toBeLessThan(1000);

  signal(opponent.pid, 'SIGKILL');
  await opponent.ended;
  expect((await home.upkeep('start', 'web')).code).toBe(0);
  expect(await home.service('web')).toMatchObject({ state: 'running', fight: null });
  expect(second.said()).not.toMatch(/somebody stops/);
});
