import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restartDefaults } from '../../test/support/builders.js';
import { ended } from '../../test/support/evidence.js';
import { type Death, deathOf, failedStart } from './death.js';
import { asPid, type ExitStatus } from './process.js';
import { backoff, judge } from './restart.js';
import type { RestartSpec, RestartWhen } from './spec.js';
import { noRestarts, type Restarts } from './state.js';
import { instant, type Now, seconds, wallTime } from './time.js';

const now = (at: number, random = 0.5): Now => ({ instant: instant(at), wall: wallTime(0), random });
const process = { pid: asPid(7), startTicks: 1, inode: null };

function died(status: ExitStatus, at = 1000, served: number | null = 500, oom = false): Death {
  const evidence = { ...ended(status), oom };
  const readySince = served === null ? null : instant(at - served);
  return deathOf(process, evidence, 'none', { startedAt: instant(0), readySince }, 'no', now(at));
}

const code = (n: number): ExitStatus => ({ type: 'exited', code: n });
const signal = (name: `SIG${string}`, coreDumped = false): ExitStatus => ({
  type: 'signaled',
  signal: name,
  coreDumped,
});
const rule = (more: Partial<RestartSpec>): RestartSpec => ({ ...restartDefaults, ...more });

describe('the restart policy', () => {
  const outcomes: readonly (readonly [string, Death])[] = [
    ['exit 0', died(code(0))],
    ['SIGTERM', died(signal('SIGTERM'))],
    ['exit 1', died(code(1))],
    ['SIGKILL', died(signal('SIGKILL'))],
    ['SIGSEGV', died(signal('SIGSEGV', true))],
    ['OOM', died(signal('SIGKILL'), 1000, 500, true)],
    ['unseen', died({ type: 'unknown' })],
    ['spawn', failedStart('spawn', { type: 'unknown' }, 'ENOENT', 'no such file', now(1000))],
    ['start-timeout', failedStart('start-timeout', { type: 'unknown' }, null, 'late', now(1000))],
  ];
  // systemd.service(5), table 2, with what product.md 2.4 says of OOM kills and of statuses that nobody saw.
  const table: Readonly<Record<RestartWhen, string>> = {
    always: 'exit 0,SIGTERM,exit 1,SIGKILL,SIGSEGV,OOM,unseen,spawn,start-timeout',
    'on-failure': 'exit 1,SIGKILL,SIGSEGV,OOM,unseen,spawn,start-timeout',
    'on-abnormal': 'SIGKILL,SIGSEGV,OOM,start-timeout',
    'on-abort': 'SIGKILL,SIGSEGV',
    'on-watchdog': '',
    'on-success': 'exit 0,SIGTERM',
    never: '',
  };
  it.each(Object.keys(table) as RestartWhen[])(
    '%s has the meaning that systemd gives it (supervisors 4, 8)',
    (when) => {
      const restarted = outcomes.filter(
        ([, death]) => judge(rule({ when }), noRestarts, death, now(1000)).type === 'start',
      );
      expect(restarted.map(([name]) => name).join()).toBe(table[when]);
    },
  );

  it('leaves a clean end at rest and an unclean one failed', () => {
    expect(judge(rule({ when: 'never' }), noRestarts, died(code(0)), now(1000)).type).toBe('rest');
    expect(judge(rule({ when: 'never' }), noRestarts, died(code(3)), now(1000))).toMatchObject({
      type: 'failed',
      failure: { type: 'prevented' },
      retryAt: null,
    });
  });

  it('takes listed codes for success (monitors 20)', () => {
    const lenient = rule({ when: 'on-failure', successExit: [{ type: 'code', code: 42 }] });
    expect(judge(lenient, noRestarts, died(code(42)), now(1000)).type).toBe('rest');
    expect(judge(lenient, noRestarts, died(code(43)), now(1000)).type).toBe('start');
  });

  it('keeps it down after a listed code or signal, of the main process only (supervisors 8)', () => {
    const strict = rule({
      preventExit: [
        { type: 'code', code: 3 },
        { type: 'signal', signal: 'SIGILL' },
      ],
    });
    expect(judge(strict, noRestarts, died(code(3)), now(1000)).type).toBe('failed');
    expect(judge(strict, noRestarts, died(signal('SIGILL')), now(1000)).type).toBe('failed');
    expect(
      judge(strict, noRestarts, failedStart('exit', code(3), null, 'start command', now(1000)), now(1000)).type,
    ).toBe('start');
  });

  it('starts again after an agreed code whatever the policy says, uncounted', () => {
    const agreed = rule({ when: 'never', alwaysAfter: [{ type: 'code', code: 75 }] });
    const verdict = judge(agreed, noRestarts, died(code(75)), now(1000));
    expect(verdict.type).toBe('start');
    expect(verdict.restarts.window).toEqual([]);
    expect(verdict.restarts.total).toBe(1);
  });
});

describe('the restart limit', () => {
  const tooMany = rule({ delay: seconds(0), limit: { count: 10, within: seconds(300) } });

  function crash(times: number, spec: RestartSpec): { readonly types: readonly string[]; readonly restarts: Restarts } {
    let restarts: Restarts = noRestarts;
    const types: string[] = [];
    for (let i = 1; i <= times; i++) {
      const verdict = judge(spec, restarts, died(code(1), i * 1000), now(i * 1000));
      types.push(verdict.type);
      restarts = verdict.restarts;
    }
    return { types, restarts };
  }

  it('lets ten restarts be done and not the eleventh (monitors 16)', () => {
    const { types } = crash(11, tooMany);
    expect(types.slice(0, 10)).toEqual(Array(10).fill('start'));
    expect(types[10]).toBe('failed');
  });

  it('goes on with one quiet try every slowEvery, told once (supervisors 6)', () => {
    const { restarts } = crash(11, tooMany);
    expect(judge(tooMany, restarts, died(code(1), 11_000), now(11_000))).toMatchObject({
      type: 'failed',
      told: 'again',
      retryAt: 71_000,
    });
  });

  it('still says after hours of quiet tries how many restarts did not help', () => {
    const { restarts } = crash(11, tooMany);
    const hours = 7_200_000;
    expect(judge(tooMany, restarts, died(code(1), hours), now(hours))).toMatchObject({ failure: { count: 10 } });
  });

  it('gives up for good where that is asked', () => {
    const verdict = judge(
      { ...tooMany, then: 'give-up' },
      crash(10, tooMany).restarts,
      died(code(1), 12_000),
      now(12_000),
    );
    expect(verdict).toMatchObject({ type: 'failed', told: 'first', retryAt: null });
  });

  it('counts a window that slides: old restarts are forgotten', () => {
    const { restarts } = crash(10, tooMany);
    expect(judge(tooMany, restarts, died(code(1), 302_000), now(302_000)).type).toBe('start');
  });

  it('is not reset by a healthy time, only the delay is', () => {
    const { restarts } = crash(10, tooMany);
    expect(judge(tooMany, restarts, died(code(1), 60_000, 40_000), now(60_000)).type).toBe('failed');
  });

  it('returns to the normal pace after a healthy time', () => {
    const slow: Restarts = { ...noRestarts, pace: 'slow', streak: 9 };
    const verdict = judge(tooMany, slow, died(code(1), 400_000, 40_000), now(400_000));
    expect(verdict).toMatchObject({ type: 'start', restarts: { pace: 'normal', streak: 1 } });
  });

  it('none means none', () => {
    expect(crash(500, rule({ limit: null })).types.every((type) => type === 'start')).toBe(true);
  });
});

describe('the back-off', () => {
  it('counts from start to start: what has lived longer than the delay comes back at once (supervisors 1)', () => {
    const lived: Restarts = { ...noRestarts, lastStart: instant(0) };
    expect(judge(restartDefaults, lived, died(code(1), 5000), now(5000))).toMatchObject({ type: 'start', at: 5000 });
    const short: Restarts = { ...noRestarts, lastStart: instant(4990) };
    expect(judge(restartDefaults, short, died(code(1), 5000), now(5000))).toMatchObject({ type: 'start', at: 5090 });
  });

  it('grows to its cap, with jitter inside its bound (supervisors 5)', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.double({ min: 0, max: 0.999, noNaN: true }), (streak, random) => {
        const plain = Math.min(30_000, 100 * 2 ** Math.min(streak, 64));
        const delay = backoff(restartDefaults, streak, random);
        expect(delay).toBeGreaterThanOrEqual(plain * 0.9);
        expect(delay).toBeLessThanOrEqual(plain * 1.1);
      }),
    );
  });

  it('is never so short that failing becomes a busy loop, whatever is configured', () => {
    const hasty = rule({ delay: seconds(0), limit: null });
    expect(backoff(hasty, 0, 0.5)).toBe(0);
    expect(backoff(hasty, 3, 0.5)).toBe(8);
    expect(backoff(hasty, 50, 0.5)).toBe(100);
  });

  it('begins anew after a healthy time (supervisors 5)', () => {
    const troubled: Restarts = { ...noRestarts, streak: 7, lastStart: instant(0) };
    expect(judge(restartDefaults, troubled, died(code(1), 60_000, 30_000), now(60_000)).restarts.streak).toBe(1);
    expect(judge(restartDefaults, troubled, died(code(1), 60_000, 29_000), now(60_000)).restarts.streak).toBe(8);
  });
});
