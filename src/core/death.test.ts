import { describe, expect, it } from 'vitest';
import { ended } from '../../test/support/evidence.js';
import {
  type AskedSignal,
  askedFor,
  causeOf,
  type Death,
  deathOf,
  describeDeath,
  failedStart,
  mayBeWanted,
} from './death.js';
import { asPid, type ExitEvidence, type ExitStatus, type Findings, type Killer, noFindings } from './process.js';
import { instant, type Now, wallTime } from './time.js';

const now: Now = { instant: instant(5000), wall: wallTime(1_790_000_000_000), random: 0.25 };
const process = { pid: asPid(812), startTicks: 1, inode: null };
const seen = (status: ExitStatus, oom = false, by: Killer | null = null): ExitEvidence => ({
  ...ended(status, 500),
  oom,
  by,
});
const killed = (signal: `SIG${string}`, coreDumped = false): ExitStatus => ({ type: 'signaled', signal, coreDumped });
const death = (status: ExitStatus, our: 'none' | 'requested' = 'none', oom = false): Death =>
  deathOf(process, seen(status, oom), our, { startedAt: instant(1000), readySince: instant(2000) }, 'no', now);
const bash: Killer = {
  ...{ pid: 4711, name: 'bash', uid: 1000, user: 'alice', grade: 'seen' },
  ...{ signal: 'SIGKILL', command: '-bash', parent: { pid: 4700, name: 'sshd' } },
};

describe('the cause of death', () => {
  it('never calls a code a signal, nor 137 an OOM kill (monitors 33)', () => {
    expect(describeDeath(death({ type: 'exited', code: 137 }))).toBe('exited with code 137');
    expect(death({ type: 'exited', code: 137 }).cause).toBe('exit');
    expect(describeDeath(death({ type: 'exited', code: 139 }))).toBe('exited with code 139');
  });

  it('names the signal and the core (supervisors 4)', () => {
    expect(describeDeath(death(killed('SIGKILL')))).toBe('killed by SIGKILL');
    expect(describeDeath(death(killed('SIGSEGV', true)))).toBe('killed by SIGSEGV (core dumped)');
  });

  it('says OOM only with the word of the kernel', () => {
    expect(causeOf(seen(killed('SIGKILL'), true), 'none')).toBe('oom');
    expect(causeOf(seen(killed('SIGKILL')), 'none')).toBe('signal');
  });

  it('says where a fault was, and whose group had no memory left', () => {
    const found = (status: ExitStatus, findings: Partial<Findings>, by: Killer | null = null): string =>
      describeDeath({ ...death(status, 'none', 'oomKill' in findings), by, findings: { ...noFindings, ...findings } });
    const fault = {
      kind: 'segfault',
      address: '0x0',
      instruction: '0x7f',
      inside: 'libc.so.6',
      source: 'kernel-log',
    } as const;
    expect(found(killed('SIGSEGV', true), { fault })).toBe(
      'killed by SIGSEGV (core dumped): segfault at 0x0 in libc.so.6',
    );
    expect(found(killed('SIGFPE'), { fault: { ...fault, kind: 'divide error', address: null, inside: null } })).toBe(
      'killed by SIGFPE: divide error',
    );
    expect(found({ type: 'unknown' }, { fault })).toBe('ended, nobody saw how: segfault at 0x0 in libc.so.6');
    expect(found(killed('SIGSEGV'), {}, bash)).toBe('killed by SIGSEGV from bash (pid 4711, alice)');
    const oomKill = {
      group: '/x',
      scope: 'group',
      held: 38 * 2 ** 20,
      mapped: 1,
      limit: 40 * 2 ** 20,
      source: 'trace',
    } as const;
    const oom = 'killed by the kernel: out of memory';
    expect(found(killed('SIGKILL'), { oomKill })).toBe(`${oom} (group /x, limit 40 MiB, it held 38 MiB)`);
    expect(found(killed('SIGKILL'), { oomKill: { ...oomKill, scope: 'machine', group: null, limit: null } })).toBe(
      `${oom} (of the whole machine, it held 38 MiB)`,
    );
    expect(
      found(killed('SIGKILL'), { oomKill: { ...oomKill, scope: 'unknown', group: null, limit: null, held: null } }),
    ).toBe(oom);
  });

  it('calls ours what we did (monitors 33)', () => {
    expect(describeDeath(death(killed('SIGKILL'), 'requested'))).toBe('stopped on request (SIGKILL)');
  });

  it('names who sent the signal, with as much as is known (monitors 33)', () => {
    const from = (by: Partial<Killer>, status: ExitStatus = killed('SIGKILL'), oom = false): Death =>
      deathOf(process, seen(status, oom, { ...bash, ...by }), 'none', { startedAt: null, readySince: null }, 'no', now);
    expect(describeDeath(from({}))).toBe('killed by SIGKILL from bash (pid 4711, alice)');
    expect(describeDeath(from({ user: null }))).toBe('killed by SIGKILL from bash (pid 4711, uid 1000)');
    expect(describeDeath(from({ user: null, uid: null }))).toBe('killed by SIGKILL from bash (pid 4711)');
    expect(describeDeath(from({ name: null, user: null, uid: null }))).toBe('killed by SIGKILL from pid 4711');
    expect(describeDeath(from({ signal: 'SIGTERM' }, { type: 'exited', code: 0 }))).toBe(
      'exited with code 0 after SIGTERM from bash (pid 4711, alice)',
    );
    expect(describeDeath(from({}, { type: 'unknown' }))).toBe(
      'ended, nobody saw how, after SIGKILL from bash (pid 4711, alice)',
    );
    // The process that the kernel was serving when memory ran out killed nobody.
    expect(from({}, killed('SIGKILL'), true).by).toBeNull();
  });

  it('does not pretend to know what nobody saw', () => {
    expect(describeDeath(death({ type: 'unknown' }))).toBe('ended, nobody saw how');
  });

  it('says that nobody was there', () => {
    const away = deathOf(process, seen({ type: 'unknown' }), 'none', { startedAt: null, readySince: null }, 'yes', now);
    expect(describeDeath(away)).toBe('ended, nobody saw how, while the keeper was away');
  });

  it('tells a start that failed from a service that died', () => {
    const failed = failedStart('spawn', { type: 'unknown' }, 'ENOENT', 'no such program: /srv/web', now);
    expect(failed.served).toBeNull();
    expect(describeDeath(failed)).toBe('could not be started: no such program: /srv/web');
    expect(death(killed('SIGKILL')).served).toBe(3000);
    expect(death(killed('SIGKILL')).uptime).toBe(4000);
  });

  it('gives incidents that sort by time and differ', () => {
    expect(death(killed('SIGKILL')).incident).not.toBe(
      deathOf(process, seen(killed('SIGKILL')), 'none', { startedAt: null, readySince: null }, 'no', {
        ...now,
        random: 0.26,
      }).incident,
    );
  });
});

describe('a signal that somebody had us send', () => {
  const root = { pid: 99, name: 'upkeep', uid: 0, user: 'root', grade: 'seen' } as const;
  const asked = (signal: AskedSignal['signal'], at = 4000): AskedSignal => ({ signal, by: root, at: instant(at) });
  const later = { ...now, instant: instant(5000) };

  it('explains the end by it, and names who asked', () => {
    const end = askedFor(death(killed('SIGKILL')), asked('SIGKILL'), later);
    expect(end).toMatchObject({ onRequest: 'yes', by: { user: 'root', signal: 'SIGKILL', grade: 'inferred' } });
    expect(describeDeath(end)).toBe('killed by SIGKILL: root had asked for SIGKILL');
    expect(describeDeath(askedFor(death({ type: 'exited', code: 0 }), asked('SIGTERM'), later))).toBe(
      'exited with code 0: root had asked for SIGTERM',
    );
  });

  it.each([
    ['another signal ended it', death(killed('SIGSEGV')), asked('SIGHUP')],
    ['it was sent long ago', death(killed('SIGTERM')), asked('SIGTERM', -6000)],
    ['the kernel chose it when memory ran out', death(killed('SIGKILL'), 'none', true), asked('SIGKILL')],
    ['a code is no answer to it', death({ type: 'exited', code: 1 }), asked('SIGUSR1')],
    ['nobody asked', death(killed('SIGKILL')), null],
  ])('explains nothing where %s', (_why, end, signal) => {
    expect(askedFor(end, signal, later)).toBe(end);
  });
});

describe('an end that somebody may have wanted', () => {
  it.each([
    ['exit 0', { type: 'exited', code: 0 }, true],
    ['SIGTERM', killed('SIGTERM'), true],
    ['SIGINT', killed('SIGINT'), true],
    ['SIGHUP', killed('SIGHUP'), true],
    ['SIGQUIT', killed('SIGQUIT'), true],
    ['SIGQUIT with a core', killed('SIGQUIT', true), false],
    ['SIGKILL', killed('SIGKILL'), false],
    ['SIGSEGV', killed('SIGSEGV'), false],
    ['exit 1', { type: 'exited', code: 1 }, false],
    ['unseen', { type: 'unknown' }, true],
  ] as const)('%s: %s → %s', (_name, status, wanted) => {
    expect(mayBeWanted(death(status))).toBe(wanted);
  });

  it('an OOM kill is never wanted', () => {
    expect(mayBeWanted(death(killed('SIGKILL'), 'none', true))).toBe(false);
  });
});
