import { describe, expect, it } from 'vitest';
import { alice, killed, serviceEntry } from '../../test/support/entries.js';
import type { KeptAnswer } from './beat.js';
import type { What } from './change.js';
import { type Death, deathOf, failedStart } from './death.js';
import type { Entry } from './entry.js';
import { withoutDetails } from './post-mortem.js';
import { type EndEntry, isEnd, type Lack, postMortemOf, rememberedPostMortem } from './post-mortem-of.js';
import { asPid, type ExitStatus, type Findings, type Killer } from './process.js';
import { serviceName } from './spec.js';
import { instant, millis, type Now, seconds, wallTime } from './time.js';

const now: Now = { instant: instant(100_000), wall: wallTime(Date.parse('2026-11-20T10:00:00.000Z')), random: 0 };
const process = { pid: asPid(812), startTicks: 100, inode: null };
const life = { startedAt: instant(96_000), readySince: instant(97_000) };
const bash: Killer = {
  ...alice,
  name: 'bash',
  signal: 'SIGKILL',
  command: "bash -c 'kill -9'",
  parent: { pid: 4000, name: 'sshd' },
};
const nothing: Findings = { oomKill: null, fault: null, core: null, sleep: null, sentAt: null };
const noTracefs: readonly Lack[] = [
  { name: 'tracefs', effect: 'who sent a signal is not known (needs root, and no container)' },
  { name: 'kmsg', effect: 'where a program faulted is not known (needs root)' },
];

interface End {
  readonly by?: Killer;
  readonly findings?: Partial<Findings>;
  readonly oom?: boolean;
  readonly peakMemory?: number;
  readonly our?: Parameters<typeof deathOf>[2];
  readonly away?: 'yes' | 'no';
}

function death(
  status: ExitStatus,
  { by, findings, oom = false, peakMemory, our = 'none', away = 'no' }: End = {},
): Death {
  const evidence = {
    status,
    oom,
    peakMemory: peakMemory ?? null,
    cpuTime: null,
    ticks: null,
    by: by ?? null,
    findings: findings === undefined ? null : { ...nothing, ...findings },
  };
  return deathOf(process, evidence, our, life, away, now);
}

const exited = (code: number): ExitStatus => ({ type: 'exited', code });
const signaled = (signal: `SIG${string}`, coreDumped = false): ExitStatus => ({ type: 'signaled', signal, coreDumped });

/** So many milliseconds after the end, as the keeper numbers it. */
function entry(
  number: number,
  after: number,
  what: What,
  service = 'web',
  kind: 'supervised' | 'watched' = 'supervised',
): Entry {
  const when = { at: instant(now.instant + after), time: wallTime(now.wall + after) };
  const happened: What = 'death' in what ? { ...what, death: { ...what.death, ...when } } : what;
  const made = serviceEntry(number, { service, what: happened, time: when.time, output: null });
  if (made.news.of === 'keeper') return made;
  const to = what.type === 'died' || what.type === 'startFailed' ? 'backoff' : made.news.change.to;
  const news = {
    ...made.news,
    change: { ...made.news.change, generation: 4, to },
    about: { ...made.news.about, kind },
  };
  return { ...made, at: when.at, news };
}

function end(what: Extract<What, { type: 'died' | 'startFailed' }>): EndEntry {
  const made = entry(10, 0, what);
  if (!isEnd(made)) throw new Error('it is an end');
  return made;
}

const died = (of: Death): EndEntry => end({ type: 'died', death: of, next: { type: 'start' } });
const failed = (of: Death): EndEntry => end({ type: 'startFailed', death: of, next: { type: 'start' } });

/** The sentence, and the evidence as `grade about: text [source]`. */
function told(of: EndEntry, without: readonly Lack[] = []): readonly string[] {
  const { sentence, evidence } = postMortemOf(of, [], [], without);
  return [sentence, ...evidence.map(({ grade, about, text, source }) => `${grade} ${about}: ${text} [${source}]`)];
}

const lived = 'seen uptime: lived for 4.0 s [keeper]';

describe('the post-mortem of an end (monitors 33)', () => {
  it('by a code names the code, and no signal', () => {
    expect(told(died(death(exited(1))))).toEqual([
      'web exited with code 1, after 4.0 s',
      'seen status: code 1 [wait status]',
      lived,
    ]);
  });

  it('by code 137 says what a shell would mean by it, and that this is a guess', () => {
    expect(told(died(death(exited(137))))).toEqual([
      'web exited with code 137, after 4.0 s',
      'seen status: code 137 [wait status]',
      'inferred status: a code, not a signal of its own; a shell ends with 137 when what it ran was ended by SIGKILL [convention of shells]',
      lived,
    ]);
  });

  it('by somebody names who, whose child that was and what it ran', () => {
    expect(told(died(death(signaled('SIGKILL'), { by: bash })))).toEqual([
      'web was killed by SIGKILL from bash (pid 4711, alice), after 4.0 s',
      'seen status: ended by SIGKILL [wait status]',
      'seen sender: SIGKILL from bash (pid 4711, alice), run by sshd (pid 4000) [tracefs]',
      "seen command: which ran: bash -c 'kill -9' [/proc]",
      lived,
    ]);
  });

  it('by a code after a signal says that it answered', () => {
    const by: Killer = { ...bash, signal: 'SIGTERM', grade: 'inferred', command: null, parent: null };
    expect(told(died(death(exited(0), { by })))[2]).toBe(
      'inferred sender: SIGTERM from bash (pid 4711, alice); it answered by ending with code 0 [tracefs]',
    );
  });

  it('by a signal without a sender says what could have told, and why it did not', () => {
    expect(told(died(death(signaled('SIGKILL'))), noTracefs)).toEqual([
      'web was killed by SIGKILL, after 4.0 s',
      'seen status: ended by SIGKILL [wait status]',
      'unknown sender: who sent it is not known: without tracefs (needs root, and no container) [tracefs]',
      'unknown oom: whether memory ran out is not known: without tracefs and kmsg [kernel log]',
      lived,
    ]);
    expect(told(died(death(signaled('SIGTERM'))))[2]).toBe(
      'inferred sender: nobody else was seen to send it: the program itself, or the kernel [tracefs]',
    );
    expect(told(died(death(signaled('SIGABRT'))))[2]).toBe('inferred sender: itself: it called abort [tracefs]');
  });

  it('for want of memory names the group, its limit and what was held', () => {
    const oomKill = {
      group: '/shop',
      scope: 'group',
      held: 60 * 2 ** 20,
      mapped: 2 ** 30,
      limit: 64 * 2 ** 20,
      source: 'trace',
    } as const;
    expect(told(died(death(signaled('SIGKILL'), { oom: true, by: bash, findings: { oomKill } }))).slice(1)).toEqual([
      'seen status: ended by SIGKILL [wait status]',
      'seen oom: out of memory: /shop reached its limit of 64 MiB, it held 60 MiB, 1.0 GiB mapped [tracefs]',
      lived,
    ]);
  });

  it.each([
    [
      { group: null, scope: 'machine', held: null, mapped: null, limit: null, source: 'kernel-log' },
      'seen oom: out of memory: the machine had no memory left [kernel log]',
    ],
    [
      { group: null, scope: 'group', held: null, mapped: null, limit: null, source: 'counter' },
      'inferred oom: out of memory: its group reached its limit [cgroup]',
    ],
  ] as const)('for want of memory has the grade of its source', (oomKill, text) => {
    expect(told(died(death(signaled('SIGKILL'), { oom: true, findings: { oomKill } })))[2]).toBe(text);
  });

  it('by a fault names the address, the library and where the core is', () => {
    const fault = {
      kind: 'segfault',
      address: '0x0',
      instruction: '0x7f12',
      inside: 'libc.so.6',
      source: 'kernel-log',
    } as const;
    const core = { path: '/var/crash/core.812', handler: null };
    expect(told(died(death(signaled('SIGSEGV', true), { findings: { fault, core } })), noTracefs).slice(1)).toEqual([
      'seen status: ended by SIGSEGV [wait status]',
      'seen fault: segfault at 0x0 in libc.so.6, instruction 0x7f12 [kernel log]',
      'seen core: its memory was dumped to /var/crash/core.812 [core_pattern]',
      lived,
    ]);
    expect(told(died(death(signaled('SIGSEGV'))), noTracefs).slice(2, 4)).toEqual([
      "inferred sender: nobody: SIGSEGV is how the kernel answers a fault of the program's own [signal]",
      'unknown fault: where it was is not known: without kmsg (needs root) [kernel log]',
    ]);
  });

  it('that we made is called ours', () => {
    const detail = 'was not ready within 30 s, stopped by us';
    const late: Death = { ...death(signaled('SIGKILL'), { our: 'start-timeout' }), served: null, detail };
    expect(told(failed(late)).slice(0, 3)).toEqual([
      'web failed to start: was not ready within 30 s, stopped by us, after 4.0 s',
      'seen status: ended by SIGKILL [wait status]',
      'seen sender: the keeper itself [keeper]',
    ]);
  });

  it('of a start that could not be made names the error', () => {
    const spawn = failedStart('spawn', { type: 'unknown' }, 'ENOENT', 'no such file (ENOENT)', now);
    expect(told(failed(spawn))).toEqual([
      'web failed to start: no such file (ENOENT)',
      'seen exec: ENOENT: no such file (ENOENT) [start]',
    ]);
  });

  it('that nobody saw says so, and does not pretend to know how long it lived', () => {
    const missing = [{ name: 'pidfdInfo', effect: 'how it ended is not known (Linux 6.15 has it)' }];
    expect(told(died(death({ type: 'unknown' }, { away: 'yes' })), missing)).toEqual([
      'web ended, nobody saw how, while the keeper was away',
      'unknown status: how it ended is not known: without pidfdInfo (Linux 6.15 has it) [wait status]',
    ]);
  });

  it('tells what it used, and that the machine had slept', () => {
    const sleep = { length: 3_600_000, ago: 4000 };
    expect(told(died(death(exited(1), { peakMemory: 2 ** 20, findings: { sleep } }))).slice(3)).toEqual([
      'seen memory: held 1.0 MiB at most [kernel]',
      'seen sleep: the machine had slept for 60 min, until 4.0 s before at most [clocks]',
    ]);
  });
});

describe('the timeline', () => {
  const launched = { type: 'launched', process: { ...process, pid: asPid(900) } } as const;
  const ready = { type: 'ready', process, took: seconds(1) } as const;
  const what = (of: EndEntry, followed: readonly Entry[]): readonly string[] =>
    postMortemOf(of, followed, [], []).timeline.map((mark) => `${mark.after} ${mark.what}: ${mark.text}`);

  it('goes from the signal over the end to being ready again, in milliseconds', () => {
    const of = died(death(signaled('SIGKILL'), { by: bash, findings: { sentAt: 99_999.6 } }));
    const followed = [
      entry(11, 0.3, { type: 'starting', why: 'restart' }),
      entry(12, 0.9, launched),
      entry(13, 500, { type: 'reloaded' }, 'other'),
      entry(14, 1000.9, ready),
      entry(15, 2000, killed()),
    ];
    expect(what(of, followed)).toEqual([
      '0 sent: SIGKILL was sent',
      '0.4 died: it ended, and the keeper saw it',
      '1.3 started: started again as process 900',
      '1001.3 ready: ready, 1.0 s after its start',
    ]);
    const { sentence, time, timeline, generation } = postMortemOf(of, followed, [], []);
    expect(sentence).toBe(
      'web was killed by SIGKILL from bash (pid 4711, alice), after 4.0 s, and was ready again 1.0 s later',
    );
    expect([time, timeline[3]?.time, generation]).toEqual(['2026-11-20T10:00:00.000Z', '2026-11-20T10:00:01.000Z', 4]);
  });

  it('tells a start that failed after it, and ends there: that is the next story', () => {
    const spawn = failedStart('spawn', { type: 'unknown' }, 'ENOENT', 'no such file', now);
    const followed = [
      entry(11, 5, { type: 'startFailed', death: spawn, next: { type: 'start' } }),
      entry(12, 200, launched),
    ];
    expect(what(died(death(exited(1))), followed)).toEqual([
      '0 died: it ended, and the keeper saw it',
      '5 failed: the start failed: no such file',
    ]);
  });

  it('tells when what was left of it had ended', () => {
    const start = entry(11, 40, { type: 'starting', why: 'restart' });
    if (start.news.of === 'keeper') throw new Error('it is of a service');
    const from = { ...start, news: { ...start.news, change: { ...start.news.change, from: 'waiting' } } } as const;
    expect(what(died(death(exited(1))), [from, entry(12, 41, launched)])).toEqual([
      '0 died: it ended, and the keeper saw it',
      '40 stopped: what was left of it had ended',
      '41 started: started again as process 900',
    ]);
  });

  it('of a daemon tells the start command, or that another’s hand was quicker', () => {
    const of = died(death(exited(0)));
    expect(what(of, [entry(11, 5000, { type: 'starting', why: 'restart' }, 'web', 'watched')])[1]).toBe(
      '5000 started: its start command was run',
    );
    expect(what(of, [entry(11, 800, { type: 'cameBack', process }, 'web', 'watched')])[1]).toBe(
      "800 ready: came back by another's hand (pid 812)",
    );
  });

  it('of an end while no keeper was there begins when the next one found it', () => {
    expect(what(died(death({ type: 'unknown' }, { away: 'yes' })), [])).toEqual([
      '0 noticed: the next keeper found that it had ended',
    ]);
  });

  it('goes by the clock on the wall over a reboot', () => {
    const later: Entry = { ...entry(1, 60_000, launched), origin: 'bbbb', at: instant(20) };
    expect(what(died(death(exited(1))), [later])[1]).toBe('60000 started: started again as process 900');
  });
});

describe('around an end', () => {
  const spare = { type: 'died', death: death(signaled('SIGKILL')), next: { type: 'start' } } as const;

  it('are the others that ended within a second, on either side', () => {
    const others = [
      entry(7, -1500, spare, 'early'),
      entry(8, -12.34, spare, 'db'),
      entry(9, 0, spare, 'web'),
      entry(12, 300, { type: 'stopped' }, 'stopped'),
      entry(13, 900, spare, 'cache'),
      entry(14, 1001, spare, 'late'),
    ];
    expect(postMortemOf(died(death(exited(1))), [], others, []).neighbours).toEqual([
      { service: 'db', text: 'killed by SIGKILL', after: -12.3 },
      { service: 'cache', text: 'killed by SIGKILL', after: 900 },
    ]);
  });

  it('the output and the command lines are not for everybody', () => {
    const of: EndEntry = { ...died(death(signaled('SIGKILL'), { by: bash })), output: ['secret'] };
    const whole = postMortemOf(of, [], [], []);
    expect(whole.output).toEqual(['secret']);
    const shown = JSON.stringify(withoutDetails(whole));
    expect(shown).not.toMatch(/secret|kill -9/);
    expect(shown).toContain('bash (pid 4711, alice)');
  });
});

describe('an end by a heartbeat', () => {
  const answer = (before: number, detail: string): KeptAnswer => ({
    ...{ result: 'failed', ms: millis(5000), detail },
    time: wallTime(now.wall - before),
  });
  const answers = [answer(62_000, 'refused'), answer(2000, 'no answer within 5 s')];
  const stopped = (kind: 'http' | 'exec'): EndEntry => {
    const by = { heartbeat: 'web', kind, answers };
    const detail = kind === 'exec' ? 'web' : 'web (no answer within 5 s)';
    return died({ ...death(signaled('SIGTERM'), { our: 'heartbeat' }), detail, ailment: by });
  };

  it('says which it was, and what it had answered, the newest first', () => {
    expect(told(stopped('http')).slice(0, 3)).toEqual([
      'web failed its heartbeat web (no answer within 5 s), stopped by us (SIGTERM), after 4.0 s',
      'seen heartbeat: web, 2.0 s before: failed after 5.0 s: no answer within 5 s [heartbeat]',
      'seen heartbeat: web, 62 s before: failed after 5.0 s: refused [heartbeat]',
    ]);
    expect(postMortemOf(stopped('http'), [], [], []).timeline).toMatchObject([
      { what: 'unhealthy', after: 0, text: 'its heartbeat web failed once too often, and it was stopped for that' },
      { what: 'died', after: 2000 },
    ]);
  });

  it('keeps what a program had answered to operators', () => {
    const { evidence, sentence } = withoutDetails(postMortemOf(stopped('exec'), [], [], []));
    expect(JSON.stringify([sentence, evidence])).not.toMatch(/refused|no answer/);
  });
});

it('what a service remembers itself makes the same, as far as it goes', () => {
  const of = death(signaled('SIGTERM'), { our: 'requested', findings: { sentAt: 99_000 } });
  const remembered = rememberedPostMortem(serviceName('web'), 4, { ...of, uptime: millis(4000) }, []);
  expect(remembered).toMatchObject({
    sentence: 'web was stopped on request (SIGTERM), after 4.0 s',
    generation: 4,
    timeline: [
      { what: 'sent', after: 0 },
      { what: 'died', after: 1000 },
    ],
    evidence: [{ text: 'ended by SIGTERM' }, { text: 'the keeper itself' }, { text: 'lived for 4.0 s' }],
    output: null,
    neighbours: [],
  });
});
