import { describe, expect, it } from 'vitest';
import { runningService, supervised } from '../../test/support/builders.js';
import { deathOf, describeDeath } from './death.js';
import { filed } from './incident.js';
import { errorsIn } from './last-words.js';
import { hangInWords, lastWordsOf, statusSaid } from './last-words-of.js';
import { evidenceOf } from './post-mortem-evidence.js';
import { asPid, type ExitEvidence } from './process.js';
import { type Said, type Service, silent } from './state.js';
import { instant, seconds, wallTime } from './time.js';

const saying = (said: Partial<Said>): Service => ({
  ...runningService(supervised({ name: 'web' })),
  said: { ...silent, ...said },
});

describe('what a service says of itself', () => {
  it('is one line of bounded length that no terminal obeys', () => {
    expect(statusSaid(saying({ status: 'loading\u001b[2J\n\u202eindex' }))).toBe('loading [2J index');
    expect(statusSaid(saying({ status: 'x'.repeat(9000) }))).toHaveLength(200);
    expect(statusSaid(saying({ status: '\u0007' }))).toBeNull();
  });

  it('is nothing where it said nothing', () => {
    expect(lastWordsOf(saying({}))).toBeUndefined();
  });

  it('names an error as people know it', () => {
    const none = { errno: null, busError: null, varlinkError: null, status: null };
    expect(errorsIn({ ...none, errno: 98 })).toEqual(['EADDRINUSE (98)']);
    expect(errorsIn({ ...none, errno: 4711 })).toEqual(['errno 4711']);
    expect(errorsIn({ ...none, busError: 'org.example.Full', varlinkError: 'io.example.Full' })).toEqual([
      'the D-Bus error org.example.Full',
      'the Varlink error io.example.Full',
    ]);
  });

  it('tells how its watchdog came to end it', () => {
    expect(hangInWords(saying({ hung: { period: seconds(30), how: 'silence' } }))).toBe(
      'did not say for 30 s that it lives',
    );
    expect(hangInWords(saying({ hung: { period: seconds(30), how: 'trigger' } }))).toBe('said that it hangs');
    expect(hangInWords(saying({}))).toBeNull();
  });
});

describe('the record of an end', () => {
  const now = { instant: instant(60_000), wall: wallTime(60_000), random: 0 };
  const process = { pid: asPid(812), startTicks: 1, inode: null };
  const evidence: ExitEvidence = {
    ...{ status: { type: 'exited', code: 1 }, oom: false, by: null, peakMemory: null, cpuTime: null },
    ...{ findings: null, ticks: null },
  };
  const life = { startedAt: instant(0), readySince: instant(10) };

  it('has what the service had said, as its own word (graceful A11)', () => {
    const service = saying({ errno: 28, status: 'writing the index' });
    const death = filed(service, deathOf(process, evidence, 'none', life, 'no', now));
    expect(describeDeath(death)).toBe('exited with code 1; it had said ENOSPC (28)');
    const said = evidenceOf(death, []).filter(({ about }) => about === 'said');
    expect(said).toEqual([
      { about: 'said', text: 'it had said ENOSPC (28)', grade: 'seen', source: 'sd_notify' },
      { about: 'said', text: 'its last status: writing the index', grade: 'seen', source: 'sd_notify' },
    ]);
  });

  it('says of a watchdog where the core is, and that the end was ours', () => {
    const aborted: ExitEvidence = { ...evidence, status: { type: 'signaled', signal: 'SIGABRT', coreDumped: true } };
    const death = deathOf(process, aborted, 'watchdog', life, 'no', now);
    const detail = 'did not say for 30 s that it lives';
    expect(describeDeath({ ...death, detail })).toBe(`${detail}; ended by us (SIGABRT (core dumped))`);
    const core = { path: '/var/crash/core.812', handler: null };
    const findings = { oomKill: null, fault: null, sentAt: null, sleep: null, core };
    expect(describeDeath({ ...death, detail, findings })).toBe(
      `${detail}; ended by us (SIGABRT, core at /var/crash/core.812)`,
    );
  });
});
