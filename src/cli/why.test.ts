import { beforeEach, describe, expect, it } from 'vitest';
import { supervised, watched } from '../../test/support/builders.js';
import { openKeeper, runCommand, type TypeOptions } from '../../test/support/command-line.js';
import { alice, killed, serviceEntry } from '../../test/support/entries.js';
import {
  backoff,
  type FakeKeeper,
  type FakeOptions,
  NOW,
  processRef,
  running,
  stopped,
} from '../../test/support/fake-keeper.js';
import type { Entry } from '../core/entry.js';
import type { Answer, Question } from '../core/history.js';
import { serviceName } from '../core/spec.js';
import { instant, millis, wallTime } from '../core/time.js';

process.env.TZ = 'UTC';

let keeper: FakeKeeper;

async function open(options: FakeOptions = {}): Promise<void> {
  keeper = await openKeeper(options);
}

const run = (command: string, options?: TypeOptions) => runCommand(command, keeper, options);

/** As the history answers, of these. */
const historyOf =
  (entries: readonly Entry[]) =>
  ({ services, what, since, until, after, most }: Question): Promise<Answer> => {
    const found = entries.filter(({ news, number, time }) => {
      if (news.of === 'keeper') return false;
      const { change } = news;
      const isMeant = services.length === 0 || services.includes(change.service);
      const isWhat = what.length === 0 || what.includes(change.what.type);
      const isThen = time >= (since ?? time) && time < (until ?? time + 1) && number > (after?.number ?? 0);
      return isMeant && isWhat && isThen;
    });
    return Promise.resolve({
      type: 'found',
      entries: after === null ? found.slice(-most) : found.slice(0, most),
      last: null,
    });
  };

const start = NOW - 60_000;

/** At this time by both clocks; an end at that time too. */
function at(number: number, time: number, wish: Parameters<typeof serviceEntry>[1]): Entry {
  const { what } = wish ?? {};
  const happened =
    what?.type === 'died'
      ? { ...what, death: { ...what.death, time: wallTime(time), at: instant(time - start) } }
      : what;
  const entry = serviceEntry(number, { ...wish, time, ...(happened === undefined ? {} : { what: happened }) });
  return { ...entry, at: instant(time - start) };
}

const story: readonly Entry[] = [
  at(7, start - 3_600_000, { what: killed('SIGTERM'), output: ['earlier'] }),
  at(11, start - 12, { service: 'db', what: killed() }),
  at(12, start, { what: killed(), output: ['GET /', '\u001b[31mGET /shop\u0007'] }),
  at(13, start + 1, { what: { type: 'starting', why: 'restart' } }),
  at(14, start + 2, { what: { type: 'launched', process: processRef(4712) } }),
  at(15, start + 1002, { what: { type: 'ready', process: processRef(4712), took: millis(1000) } }),
];
const took = at(21, NOW - 5_000, {
  what: { type: 'committed', from: processRef(812), to: processRef(4712), took: millis(84) },
});
const died = killed().death;
const restarts = { total: 1, window: [], streak: 1, pace: 'normal', lastStart: null } as const;

beforeEach(() => open({ history: historyOf(story) }));

const shop = (): void =>
  keeper.put(supervised({ name: 'web', description: 'The shop' }), running(4712), {
    generation: 5,
    lastDeath: { ...died, time: wallTime(start) },
    restarts,
  });

describe('upkeep why NAME', () => {
  it('says how it is, and how it died: sentence, what happened when, evidence, output, neighbours', async () => {
    shop();
    const { code, terminal } = await run('why web');
    expect(code).toBe(0);
    expect(terminal.printed()).toMatchInlineSnapshot(`
      "web  running  The shop
        why   web has been running for 5 min (process 4712); it was restarted once
        next  if it ends, it is started again, 10 times within 5 min at most

        web was killed by SIGKILL from bash (pid 4711, alice), after 17 min, and was ready again 1.0 s later
        when           2026-11-20 09:59:00.000, 60 s ago, generation 1
        what happened     +0 ms  it ended, and the keeper saw it
                          +2 ms  started again as process 4712
                       +1002 ms  ready, 1.0 s after its start
        evidence       seen      ended by SIGKILL [wait status]
                       seen      SIGKILL from bash (pid 4711, alice), run by sshd (pid 4000) [tracefs]
                       seen      which ran: bash -c secret [/proc]
                       seen      lived for 17 min [keeper]
                       seen      held 9.5 MiB at most [kernel]
                       seen      used 0.1 s of processor time [kernel]
        last output    | GET /
                       |  [31mGET /shop
        neighbours     db: killed by SIGKILL from bash (pid 4711, alice), 12 ms before
        incident       mwot5j40000
      "
    `);
  });

  it('names the chain of those that it waits for, and what helps the one at its end', async () => {
    const turn = { name: 'waiting', since: instant(0), for: 'turn', why: 'requested', deadline: null } as const;
    keeper.put(supervised({ name: 'web', needs: ['api'] }), turn);
    keeper.put(supervised({ name: 'api', needs: ['db'] }), turn);
    keeper.put(supervised({ name: 'db' }), backoff(8000));
    const { terminal } = await run('why web');
    expect(
      terminal
        .printed()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(
      expect.arrayContaining([
        'why           web waits for api, which waits for db',
        'next          it is started when api is ready',
        'to change it  upkeep reset db  forgets the failures and tries now',
        'upkeep stop web  leaves it down until it is started by hand',
      ]),
    );
  });

  it('names the service whose end moved it, and what had happened there', async () => {
    const entries = [
      at(20, start, { service: 'db', what: killed(), line: 'db is not running, restarting: killed by SIGKILL' }),
      at(21, start, { service: 'db', what: { type: 'waved', moves: [serviceName('web')], spares: [] } }),
    ];
    await open({ history: historyOf(entries) });
    const lastDeath = { ...died, cause: 'coupling', time: wallTime(start + 5) } as const;
    keeper.put(supervised({ name: 'web', needs: ['db'] }), running(4712), { lastDeath, generation: 5 });
    keeper.put(supervised({ name: 'db' }), running(4713));
    const { terminal } = await run('why web');
    expect(terminal.printed()).toContain(
      'db, with which it is coupled, moved it 60 s ago: db is not running, restarting: killed by SIGKILL\n',
    );
  });

  it('fits a terminal', async () => {
    shop();
    const { terminal } = await run('why web', { columns: 60 });
    for (const line of terminal.printed().split('\n')) expect(line.length, line).toBeLessThanOrEqual(60);
  });

  it('goes back in time with --all, the last end first', async () => {
    shop();
    const { terminal } = await run('why --all web');
    const ends = terminal.printed().match(/when .*/g) ?? [];
    expect(ends).toHaveLength(2);
    expect(terminal.printed()).toMatch(/GET \/[\s\S]*earlier/);
  });

  it('gives the same as JSON, and nothing else on stdout', async () => {
    shop();
    const { terminal } = await run('why --json web');
    const document = JSON.parse(terminal.printed());
    expect(document).toMatchObject({
      version: 1,
      host: 'web1',
      historyProblem: null,
      details: 'shown',
      services: [
        {
          service: { name: 'web', state: 'running' },
          standing: { asWanted: 'yes' },
          postMortems: [
            {
              incident: died.incident,
              timeline: [{ what: 'died' }, { what: 'started' }, { what: 'ready' }],
              neighbours: [{ service: 'db', after: -12 }],
            },
          ],
        },
      ],
    });
  });

  it('shows neither output nor command lines to those who may only read', async () => {
    keeper.close();
    await open({ history: historyOf(story), uid: 1001 });
    shop();
    const { terminal } = await run('why web');
    expect(terminal.printed()).not.toMatch(/GET|secret/);
    expect(terminal.printed()).toContain('only for root, the user of the keeper and group upkeep');
    expect((await run('why --json web')).terminal.printed()).not.toMatch(/GET|secret/);
  });

  it('tells what the service itself remembers while the history is not there, and says so', async () => {
    keeper.close();
    await open();
    shop();
    const { code, terminal } = await run('why web');
    expect(code).toBe(0);
    expect(terminal.printed()).toContain('web was killed by SIGKILL from bash (pid 4711, alice)');
    expect(terminal.complained()).toBe(
      'upkeep: there is none here; shown is what the services themselves remember of their last end\n',
    );
  });

  it('knows of a last end that the history does not have yet', async () => {
    keeper.put(supervised({ name: 'web' }), running(4713), { lastDeath: { ...died, time: wallTime(NOW - 5) } });
    const { terminal } = await run('why --all web');
    expect(terminal.printed().match(/when .*/g)).toHaveLength(3);
  });

  it.each([
    [
      'that it came to nothing, and why',
      [] as readonly Entry[],
      /the last attempt to replace it, 10 s ago, came to nothing: the tables/,
    ],
    ['nothing of it once another has succeeded', [took], null],
  ])('tells of the last attempt to replace one %s', async (_, later, sentence) => {
    keeper.close();
    const refused = { type: 'handoverRefused', reason: 'the tables are of 1997', process: null } as const;
    await open({ history: historyOf([at(20, NOW - 10_000, { what: refused }), ...later]) });
    keeper.put(supervised({ name: 'web', notifyAccess: 'main' }), running(4712));
    const { terminal } = await run('why web');
    if (sentence === null) expect(terminal.printed()).not.toContain('attempt');
    else expect(terminal.printed()).toMatch(sentence);
  });

  it('has nothing to tell of one that never ended', async () => {
    keeper.put(supervised({ name: 'new' }), running(5));
    const { terminal } = await run('why new');
    expect(terminal.printed()).toBe(
      'new  running\n  why       new has been running for 5 min (process 5)\n  last end  none is known\n',
    );
  });

  it('gives control characters in names and output no power over the terminal', async () => {
    keeper.close();
    const evil = killed();
    const by = { ...alice, name: 'ba\u001b[2Jsh', command: 'x\r\ny\u0007', signal: 'SIGKILL', parent: null } as const;
    await open({
      history: historyOf([
        serviceEntry(1, {
          what: { ...evil, death: { ...evil.death, by } },
          output: ['\u001b]0;title\u0007text\u202e'],
        }),
      ]),
    });
    keeper.put(supervised({ name: 'web', description: 'a\u001b[31m' }), backoff(5000), { lastDeath: evil.death });
    const { terminal } = await run('why web');
    expect(terminal.printed().replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });
});

describe('upkeep why', () => {
  it('shows what is not as wanted, and the commands that change it', async () => {
    shop();
    keeper.put(watched({ name: 'cron', desired: 'down' }), stopped());
    keeper.put(supervised({ name: 'worker' }), backoff(8000), { restarts: { ...restarts, streak: 3 } });
    const { code, terminal } = await run('why');
    expect(code).toBe(0);
    expect(terminal.printed()).toBe(
      [
        'worker  backoff',
        '  why           worker ended, and waits for its next start (try 3 in a row; 10 are done within 5 min)',
        '  next          it is started in 8.0 s',
        '  to change it  upkeep reset worker  forgets the failures and tries now',
        '                upkeep stop worker   leaves it down until it is started by hand',
        '                upkeep logs worker   shows what it printed',
        '  last end      none is known',
        '',
      ].join('\n'),
    );
  });

  it('says in one line that all is well', async () => {
    shop();
    keeper.put(supervised({ name: 'off', desired: 'down' }), stopped());
    expect((await run('why')).terminal.printed()).toBe('all 2 services are as wanted\n');
    expect(JSON.parse((await run('why --json')).terminal.printed()).services).toEqual([]);
  });

  it('is 2 for a NAME that matches nothing, 4 without a keeper', async () => {
    shop();
    const { code, terminal } = await run('why wep');
    expect([code, terminal.complained()]).toEqual([2, 'upkeep: there is no service wep; did you mean web\n']);
    keeper.close();
    expect((await run('why web')).code).toBe(4);
  });

  it('answers also for a NAME that is not for this host', async () => {
    keeper.close();
    const elsewhere = [{ name: 'ldap', hosts: 'dns', reason: 'for hosts dns, and web1 is none of them' }];
    await open({ facts: { elsewhere }, elsewhere });
    shop();
    const { code, terminal } = await run('why ldap web');
    expect(code).toBe(0);
    expect(terminal.printed()).toContain(
      'ldap  elsewhere\n  why  ldap is not for this host: for hosts dns, and web1 is none of them\n',
    );
    expect(terminal.printed()).toContain('web  running');
  });

  it('colours a terminal, and no pipe', async () => {
    keeper.put(supervised({ name: 'web' }), backoff(8000));
    expect((await run('why', { columns: 100, colours: 'yes' })).terminal.printed()).toContain('\u001b[31mbackoff');
    expect((await run('why')).terminal.printed()).not.toContain('\u001b');
  });
});
