// The promise: the keeper may be killed between any two things that it does in a hand-over. The next one finds one generation that
// serves, says again what may not have been heard, and nobody who asks the service is refused meanwhile.

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { handingOver, startLoad } from '../support/handing-over.js';
import { acceptingOf, alone, freePort, restart } from '../support/handing-over-stage.js';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

const AT_ONCE = 3;
/** More than there are; it ends with the first that is not reached. */
const MOST = 120;
const SLOW_DRAIN = fileURLToPath(new URL('../support/slow-drain.mjs', import.meta.url));

/** What became of the keeper that was to kill itself at this point. */
type Life = 'killed before it served' | 'killed' | 'not killed';

async function killedAt(point: string, home: Home, port: number): Promise<Life> {
  const hooks = { beforeStart: 'true', afterStart: 'true' };
  const web = { ...handingOver(home, port, { HO_SIZE: '300000' }), hooks, restart: { delay: '50ms' } };
  home.configure({ web });
  const keeper = home.launch([], { env: { UPKEEP_FAULT: point } });
  let isOver = false;
  void keeper.ended.then(() => {
    isOver = true;
  });
  const isRunning = async (): Promise<boolean> => {
    const answer = await home.get('/v1/status');
    return answer.type === 'ok' && JSON.stringify(answer.body).includes('"state":"running"');
  };
  await home.until('it serves', async () => isOver || (await isRunning()));
  if (isOver) return 'killed before it served';
  const load = startLoad(port, { kept: 1, fresh: 2 });
  await home.upkeep('restart', 'web');
  await home.until(
    'the old one has ended',
    async () => isOver || (await home.service('web').catch(() => null))?.draining.length === 0,
  );
  await home.until('an end, or none', async () => isOver || (await isRunning()));
  if (isOver) await home.start();
  const pid = await alone(home, port);
  const before = load.answered();
  await home.until('it serves', () => load.answered() > before);
  await load.end();
  expect([point, load.lost]).toEqual([point, []]);
  expect([point, acceptingOf(home)]).toEqual([point, [pid]]);
  if (isOver) await restart(home, port);
  return isOver ? 'killed' : 'not killed';
}

describe('a keeper that is killed', () => {
  it.each(['after-record', 'before-effect'])(
    '%s, at each of them, leaves one generation that serves; the next keeper goes on, and nobody was refused (graceful D12; 2, 28-30)',
    async (kind) => {
      let next = 1;
      const killed: number[] = [];
      const lane = async (port: number): Promise<void> => {
        while (next <= MOST) {
          const nth = next++;
          const home = newHome();
          const life = await killedAt(`${kind}:${nth}`, home, port);
          await home.close();
          if (life === 'killed') killed.push(nth);
          if (life === 'not killed') next = MOST + 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, () => lane(freePort())));
      expect(killed.length).toBeGreaterThan(5);
    },
    600_000,
  );

  it('while a service of the library drains is told to by the next one again, and that cuts nothing short (graceful D12)', async () => {
    const home = newHome();
    const run = [process.execPath, SLOW_DRAIN, home.path];
    home.configure({
      web: {
        run,
        sockets: { http: `127.0.0.1:${freePort()}` },
        ready: 'notify',
        handover: { mode: 'overlap', drain: '10m' },
      },
    });
    const keeper = await home.start();
    const old = await home.running('web');
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    const fresh = await home.running('web', old);
    const said = (step: string): number => home.read('steps').split(`${old} ${step}\n`).length - 1;
    await home.until('it drains', () => said('drains') === 1 && said('SIGTERM') === 1);
    await keeper.end('SIGKILL');
    await home.start();
    await home.until('it is told again', () => said('SIGTERM') === 2);
    expect(await home.running('web')).toBe(fresh);
    expect((await home.service('web')).draining).toMatchObject([{ pid: old }]);
    expect([isAlive(old), said('drains'), said('finished')]).toEqual([true, 1, 0]);
    home.write('go', '');
    await home.when('web', ({ draining }) => draining.length === 0);
    expect([said('drains'), said('finished')]).toEqual([1, 1]);
    expect(await home.running('web')).toBe(fresh);
  });
});
