import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { Newsroom, planWith } from '../../test/support/newsroom.js';
import { exitsAfter, lives, program } from '../../test/support/program.js';
import { type Random, seeded } from '../../test/support/random.js';
import { Stage } from '../../test/support/stage.js';
import type { Entry } from './entry.js';
import type { Letter } from './notice.js';
import { channelsFor, planWithout } from './notice-rules.js';
import { type Desk, due, dueAt, emptyDesk, type Setting, tell } from './notices.js';
import { type WallTime, wallTime } from './time.js';

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const names = ['web', 'db', 'mq'];

/** What three services that die, heal, fail and are stopped leave in the journal of a few hours. */
function story(random: Random): readonly Entry[] {
  const stage = Stage.with(names.map((name) => supervised({ name, restart: { healthyAfter: 20_000 as never } })));
  stage.run(MINUTE);
  for (let n = 0; n < 40; n++) {
    const name = random.pick(names);
    const [main] = stage.mains(name);
    const act = random.int(0, 9);
    if (act < 6 && main !== undefined)
      stage.host.end(
        main,
        random.chance(0.3) ? { type: 'exited', code: 3 } : { type: 'signaled', signal: 'SIGABRT', coreDumped: true },
      );
    else if (act === 6) stage.host.install(`/srv/${name}`, program(exitsAfter(50, 1)));
    else if (act === 7) stage.host.install(`/srv/${name}`, program(lives));
    else stage.ask(name, random.pick(['stop', 'start', 'hold', 'unhold', 'restart', 'reset'] as const));
    stage.run(random.pick([10, 400, 3 * SECOND, 40 * SECOND, 4 * MINUTE, 20 * MINUTE]));
  }
  return stage.journal.entries;
}

const setting: Setting = {
  plan: planWith([{ tell: ['admin', 'log'] }, { kinds: ['died', 'stopped'], tell: ['all'] }]),
  host: 'web3',
  without: [],
};

interface Run {
  readonly desk: Desk;
  readonly next: number;
  readonly letters: readonly Letter[];
}

/** One step: the next entry, or what is due before it. */
function step(run: Run, entries: readonly Entry[], now: WallTime): Run {
  const entry = entries[run.next];
  const at = dueAt(run.desk);
  if (entry !== undefined && entry.time <= now) {
    const { desk, letters } = tell(run.desk, entry, setting, now);
    return { desk, next: run.next + 1, letters: [...run.letters, ...letters] };
  }
  if (at === null || at > now) return run;
  const { desk, letters } = due(run.desk, setting, now);
  return { ...run, desk, letters: [...run.letters, ...letters] };
}

const nextMoment = ({ desk, next }: Run, entries: readonly Entry[]): number =>
  Math.min(entries[next]?.time ?? Number.POSITIVE_INFINITY, dueAt(desk) ?? Number.POSITIVE_INFINITY);

/** Through all of it, until that time. `die`: so many of the last steps were not written, and their letters not sent: they are done again. */
function tellAll(entries: readonly Entry[], until: number, die: () => number): Run {
  let run: Run = { desk: emptyDesk, next: 0, letters: [] };
  let now = entries[0]?.time ?? wallTime(0);
  let written: readonly { readonly run: Run; readonly at: number }[] = [];
  for (;;) {
    const moment = nextMoment(run, entries);
    if (moment > until) return run;
    now = wallTime(Math.max(now, moment));
    // A step is written as soon as the disk takes it.
    written = [...written, { run, at: now }].filter(({ at }) => at > now - 30 * SECOND);
    run = step(run, entries, now);
    const back = written.at(-die());
    if (back !== undefined && back !== written[0])
      run = { ...back.run, desk: JSON.parse(JSON.stringify(back.run.desk)) as Desk };
  }
}

describe('the desk over the death of its keeper', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    'makes every letter exactly once, with the same content (story %i) (monitors 29)',
    (seed) => {
      const entries = story(seeded(seed));
      const until = (entries.at(-1)?.time ?? 0) + 10 * HOUR;
      const straight = tellAll(entries, until, () => 0);
      const random = seeded(seed + 100);
      const killed = tellAll(entries, until, () => (random.chance(0.15) ? random.int(1, 8) : 0));
      expect(straight.letters.length).toBeGreaterThan(10);
      expect(killed.letters).toEqual(straight.letters);
      for (const { letters } of [straight, killed]) {
        expect(new Set(letters.map(({ id }) => id)).size).toBe(letters.length);
        const told = letters.flatMap(({ channel, notices }) => notices.map(({ id }) => `${channel} ${id}`));
        expect(new Set(told).size).toBe(told.length);
        for (const { id } of letters) expect(id).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
      }
    },
  );

  it('takes an entry once: told again it changes nothing', () => {
    const entries = story(seeded(11));
    const now = wallTime((entries.at(-1)?.time ?? 0) + 1);
    let desk = emptyDesk;
    for (const entry of entries) desk = tell(desk, entry, setting, now).desk;
    for (const entry of entries) expect(tell(desk, entry, setting, now)).toEqual({ desk, letters: [] });
  });

  it('tells each end that nobody asked for once to whoever wants to know of each (monitors 29)', () => {
    const entries = story(seeded(12));
    const { letters } = tellAll(entries, Number.MAX_SAFE_INTEGER / 2, () => 0);
    const told = letters.filter(({ channel }) => channel === 'all').flatMap(({ notices }) => notices);
    const ends = entries.filter(
      ({ news }) =>
        news.of === 'service' &&
        news.change.what.type === 'died' &&
        news.about.hold === 'no' &&
        news.about.desired === 'up',
    );
    expect(ends.length).toBeGreaterThan(5);
    expect(told.filter(({ kind }) => kind === 'died')).toHaveLength(ends.length);
  });
});

describe('a wall clock that is set', () => {
  function failed() {
    const stage = Stage.with([supervised({ restart: { when: 'never' } })]);
    const news = new Newsroom(stage);
    stage.run(MINUTE);
    stage.host.end(stage.main('web'), { type: 'exited', code: 1 });
    stage.run(5 * SECOND);
    expect(news.kinds()).toEqual(['failed']);
    return { stage, news };
  }

  it.each([-HOUR, -24 * 365 * HOUR])('back by %i ms holds no reminder up for longer than it is itself', (length) => {
    const { stage, news } = failed();
    stage.run(HOUR);
    stage.clock.jumpWall(length);
    news.work();
    stage.run(4 * HOUR);
    expect(news.kinds()).toEqual(['failed', 'failed 1']);
    stage.run(8 * HOUR);
    expect(news.kinds()).toEqual(['failed', 'failed 1', 'failed 2']);
  });

  it('forth by a year reminds once, and goes on as before', () => {
    const { stage, news } = failed();
    stage.clock.jumpWall(24 * 365 * HOUR);
    news.work();
    stage.run(10 * SECOND);
    expect(news.kinds()).toEqual(['failed', 'failed 1']);
    stage.run(12 * HOUR);
    expect(news.kinds()).toEqual(['failed', 'failed 1', 'failed 2']);
  });

  it('forth does not make a service recovered that has just come up', () => {
    const { stage, news } = failed();
    stage.ask('web', 'start');
    stage.run(5 * SECOND);
    stage.clock.jumpWall(HOUR);
    news.work();
    stage.run(5 * SECOND);
    expect(news.kinds()).toEqual(['failed']);
    stage.run(MINUTE);
    expect(news.kinds()).toEqual(['failed', 'recovered']);
  });

  it('back and forth between a crash and its letter loses and doubles nothing', () => {
    const stage = Stage.with([supervised()]);
    const news = new Newsroom(stage);
    stage.run(MINUTE);
    stage.host.end(stage.main('web'), { type: 'exited', code: 1 });
    stage.run(5 * SECOND);
    for (const length of [-HOUR, 2 * HOUR, -HOUR]) {
      stage.clock.jumpWall(length);
      news.work();
      stage.run(10 * SECOND);
    }
    stage.run(10 * MINUTE);
    expect(news.kinds()).toEqual(['restarted']);
  });
});

describe('words of others', () => {
  it('are one line each, without what a terminal or a header would obey, and of bounded length (monitors 34)', () => {
    const evil = `a\r\nBcc: all\u001b[2J\u202e${'x'.repeat(100_000)}`;
    const stage = Stage.with([supervised({ description: evil, restart: { when: 'never' } })]);
    stage.run(MINUTE);
    stage.host.end(stage.main('web'), { type: 'signaled', signal: 'SIGKILL', coreDumped: false });
    stage.run(MINUTE);
    const by = {
      pid: 1,
      name: evil,
      uid: 0,
      user: evil,
      grade: 'seen',
      signal: 'SIGKILL',
      command: evil,
      parent: null,
    } as const;
    const entries = stage.journal.entries.map((entry): Entry => {
      if (entry.news.of === 'keeper' || entry.news.change.what.type !== 'died') return entry;
      const { change } = entry.news;
      const what = { ...entry.news.change.what, death: { ...entry.news.change.what.death, by } };
      return {
        ...entry,
        output: Array.from({ length: 500 }, () => evil),
        news: { ...entry.news, change: { ...change, what } },
      };
    });
    const { letters } = tellAll(entries, (entries.at(-1)?.time ?? 0) + HOUR, () => 0);
    const [notice] = letters.find(({ channel }) => channel === 'admin')?.notices ?? [];
    expect(notice?.headline).toMatch(/^SIGKILL from a/);
    expect(notice?.headline.length).toBeLessThanOrEqual(160);
    expect(notice?.postMortem?.output).toHaveLength(20);
    const text = JSON.stringify(notice);
    expect(text).not.toMatch(/\\[rnu]|\u202e/);
    expect(text.length).toBeLessThan(20_000);
  });
});

describe('a flood', () => {
  const many = Array.from({ length: 2000 }, (_, n) => `s${n}`);

  /** The same end, of many services. */
  function flood(): readonly Entry[] {
    const stage = Stage.with([supervised({ restart: { when: 'never' } })]);
    stage.run(MINUTE);
    stage.host.end(stage.main('web'), { type: 'exited', code: 1 });
    stage.run(MINUTE);
    const ends = stage.journal.entries.slice(-2).map(({ news }) => news);
    const time = wallTime(stage.clock.wall);
    return many.flatMap((name, n) =>
      ends.map((news, m): Entry => {
        const change = news.of === 'service' ? { ...news.change, service: name } : null;
        const about = { ...news, change } as Entry['news'];
        return { ...(stage.journal.entries.at(-1) as Entry), number: 100 + 2 * n + m, time, news: about };
      }),
    );
  }

  it('is one letter with the first 500 and the number of the others, and the desk stays small', () => {
    const entries = flood();
    const now = entries[0]?.time ?? wallTime(0);
    const plan = planWith([{ tell: ['admin'] }]);
    let desk = emptyDesk;
    for (const entry of entries) desk = tell(desk, entry, { ...setting, plan }, now).desk;
    expect(desk.cases.length).toBeLessThanOrEqual(1100);
    expect(JSON.stringify(desk).length).toBeLessThan(8_000_000);
    const { letters } = due(desk, { ...setting, plan }, wallTime(now + 5000));
    expect(letters).toHaveLength(1);
    expect(letters[0]?.notices).toHaveLength(501);
    expect(letters[0]?.notices.at(-1)).toMatchObject({ headline: 'and 1,500 more', service: null });
  });
});

describe('the rules', () => {
  it('without `notices` in the configuration tell syslog what the log of the keeper does not say', () => {
    const web = { name: 'web', tags: [] };
    expect(channelsFor(planWithout('yes'), 'recovered', web)).toEqual(['syslog']);
    expect(channelsFor(planWithout('yes'), 'failed', web)).toEqual([]);
    expect(channelsFor(planWithout('no'), 'recovered', web)).toEqual([]);
  });

  it('that name a service are not about the keeper', () => {
    const plan = planWith([{ services: ['*'], tell: ['page'] }]);
    expect(channelsFor(plan, 'keeper', null)).toEqual([]);
    expect(channelsFor(plan, 'failed', { name: 'web', tags: [] })).toEqual(['page']);
  });
});
