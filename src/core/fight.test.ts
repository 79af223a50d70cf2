import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Death, deathOf, failedStart } from './death.js';
import { describeFight, isBlow, noOpposition, type Opposition, peaceAt, strike } from './fight.js';
import { asPid, type ExitStatus, type Killer } from './process.js';
import { instant, type Now, wallTime } from './time.js';

const MINUTE = 60_000;
const process = { pid: asPid(812), startTicks: 1, inode: null };
const agent: Killer = {
  ...{ pid: 4711, name: 'cf-agent', uid: 0, user: 'root', grade: 'seen' },
  ...{ signal: 'SIGTERM', command: 'cf-agent -K', parent: null },
};
const term: ExitStatus = { type: 'signaled', signal: 'SIGTERM', coreDumped: false };

const nowAt = (at: number): Now => ({ instant: instant(at), wall: wallTime(1_790_000_000_000 + at), random: 0.5 });

interface Wish {
  readonly at?: number;
  readonly after?: number;
  readonly status?: ExitStatus;
  readonly by?: Killer | null;
  readonly oom?: boolean;
  readonly served?: 'yes' | 'no';
  readonly our?: 'none' | 'requested';
  readonly away?: 'yes' | 'no';
}

function death(wish: Wish = {}): Death {
  const { at = 100_000, after = 20_000, status = term, by = null, oom = false, our = 'none', away = 'no' } = wish;
  const evidence = { status, oom, peakMemory: null, cpuTime: null, findings: null, ticks: 5, by };
  const readySince = wish.served === 'no' ? null : instant(at - after + 1);
  return deathOf(process, evidence, our, { startedAt: instant(at - after), readySince }, away, nowAt(at));
}

/** The blows of somebody who comes at these times, as minutes. */
function struck(times: readonly number[], wish: Wish = {}): Opposition {
  let last = 0;
  return times.reduce((before, time) => {
    const at = time * MINUTE;
    const next = strike(before, death({ ...wish, at, after: at - last }), nowAt(at));
    last = at;
    return next;
  }, noOpposition);
}

describe('an end that speaks for an opponent', () => {
  const exit = (code: number): ExitStatus => ({ type: 'exited', code });
  const cases: readonly (readonly [string, Wish, 'supervised' | 'watched', boolean])[] = [
    ['SIGTERM', {}, 'supervised', true],
    ['SIGTERM, of a daemon', {}, 'watched', true],
    ['SIGHUP', { status: { ...term, signal: 'SIGHUP' } }, 'supervised', true],
    ['SIGKILL from nobody knows whom', { status: { ...term, signal: 'SIGKILL' } }, 'supervised', false],
    ['SIGKILL from somebody known', { status: { ...term, signal: 'SIGKILL' }, by: agent }, 'supervised', true],
    ['SIGQUIT with a core', { status: { type: 'signaled', signal: 'SIGQUIT', coreDumped: true } }, 'supervised', false],
    ['SIGSEGV', { status: { ...term, signal: 'SIGSEGV' } }, 'watched', false],
    ['exit 0', { status: exit(0) }, 'supervised', false],
    ['exit 0 of a daemon', { status: exit(0) }, 'watched', true],
    ['exit 0 after a known signal', { status: exit(0), by: agent }, 'supervised', true],
    ['exit 143 after a known signal', { status: exit(143), by: agent }, 'supervised', true],
    ['exit 1', { status: exit(1) }, 'watched', false],
    ['what nobody saw', { status: { type: 'unknown' } }, 'watched', false],
    ['what happened while the keeper was away', { away: 'yes' }, 'supervised', false],
    ['out of memory', { oom: true }, 'supervised', false],
    ['our own stop', { our: 'requested', by: agent }, 'supervised', false],
    ['SIGTERM before it was ready', { served: 'no' }, 'supervised', false],
    ['a known SIGTERM before it was ready', { served: 'no', by: agent }, 'supervised', true],
  ];
  it.each(cases)('%s', (_, wish, kind, expected) => {
    expect(isBlow(death(wish), kind)).toBe(expected);
  });

  it('is never a start that came to nothing', () => {
    expect(isBlow(failedStart('signal', term, null, 'its start command was killed', nowAt(1)), 'watched')).toBe(false);
  });
});

describe('a fight', () => {
  it('needs three quick blows, or four that keep time', () => {
    expect(struck([0.3, 0.6]).fight).toBeNull();
    expect(struck([0.3, 0.6, 0.9]).fight).toMatchObject({ times: 3 });
    expect(struck([7, 12, 17]).fight).toBeNull();
    expect(struck([7, 12, 17.1, 22]).fight).toMatchObject({ times: 4 });
    expect(struck([7, 14, 17, 22]).fight).toBeNull();
    expect(struck([100, 200, 300, 400, 500]).fight).toBeNull();
  });

  it('is not begun by three who did it once each', () => {
    const bash: Killer = { ...agent, name: 'bash', uid: 1000, user: 'alice' };
    let seen = noOpposition;
    for (const [index, by] of [agent, bash, agent, bash, agent].entries())
      seen = strike(seen, death({ at: (index + 1) * 20_000, by }), nowAt((index + 1) * 20_000));
    expect(seen.fight).toBeNull();
  });

  it('is fought by the same one whatever its pid, and it is said who', () => {
    let seen = noOpposition;
    for (const pid of [71, 72, 73])
      seen = strike(seen, death({ at: pid * 20_000, by: { ...agent, pid } }), nowAt(pid * 20_000));
    expect(seen.fight).not.toBeNull();
    if (seen.fight !== null)
      expect(describeFight(seen.fight)).toBe(
        'SIGTERM 3 times in 40 s, each 20 s after we started it, from cf-agent (root)',
      );
    const pkill: Killer = { ...agent, name: 'pkill', user: null, uid: 33, parent: { pid: 5, name: 'check.sh' } };
    const { fight } = struck([5, 10, 15, 20], { by: pkill, status: { type: 'exited', code: 0 } });
    expect(fight === null ? null : describeFight(fight)).toBe(
      'SIGTERM 4 times in 15 min, each 5 min after we started it, every 5 min, from pkill run by check.sh (uid 33)',
    );
  });

  it('is over after twice the longest time that the opponent left it alone, five minutes at least', () => {
    const quick = struck([0.3, 0.6, 0.9]).fight;
    const slow = struck([3000, 3030, 3060, 3090]).fight;
    expect(quick === null ? null : peaceAt(quick, instant(0))).toBe(5 * MINUTE);
    expect(slow === null ? null : peaceAt(slow, instant(0))).toBe(60 * MINUTE);
  });

  it('never lets us start at once, nor wait more than an hour, whatever the times', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 8_000_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(gaps, (lengths) => {
        let at = 0;
        let seen = noOpposition;
        for (const length of lengths) {
          at += length;
          seen = strike(seen, death({ at, after: length }), nowAt(at));
          expect(seen.blows.length).toBeLessThanOrEqual(4);
          const { fight } = seen;
          if (fight === null) continue;
          expect(fight.until).toBe(at + fight.pause);
          expect(fight.pause).toBeGreaterThanOrEqual(5 * MINUTE);
          expect(fight.pause).toBeLessThanOrEqual(60 * MINUTE);
        }
      }),
    );
  });
});
