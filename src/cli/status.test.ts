import { beforeEach, describe, expect, it } from 'vitest';
import { supervised, watched } from '../../test/support/builders.js';
import { begin, openKeeper, runCommand, type TypeOptions } from '../../test/support/command-line.js';
import {
  backoff,
  type FakeKeeper,
  type FakeOptions,
  givenUp,
  NOW,
  running,
  starting,
  stopped,
} from '../../test/support/fake-keeper.js';
import { failedStart } from '../core/death.js';
import { instant, wallTime } from '../core/time.js';

process.env.TZ = 'UTC';

let keeper: FakeKeeper;

async function open(options: FakeOptions = {}): Promise<void> {
  keeper = await openKeeper(options);
}

const run = (command: string, options?: TypeOptions) => runCommand(command, keeper, options);

const died = failedStart('exit', { type: 'exited', code: 1 }, null, 'exit code 1', {
  instant: instant(999_000),
  wall: wallTime(NOW - 2000),
  random: 0,
});

beforeEach(() => open());

describe('the exit code of status', () => {
  it('is 0 when all is up, also what is wanted off or on hold (monitors 37)', async () => {
    keeper.put(supervised({ name: 'web' }), running(812));
    keeper.put(supervised({ name: 'off', desired: 'down' }), stopped());
    keeper.put(supervised({ name: 'held' }), givenUp(), {
      hold: { by: null, since: wallTime(NOW), until: null, reason: null },
    });
    expect((await run('status')).code).toBe(0);
  });

  it('is 3 when something that should be up is not, and that wins over what is on its way (monitors 37)', async () => {
    keeper.put(supervised({ name: 'web' }), backoff(8000));
    keeper.put(supervised({ name: 'db' }), starting());
    expect((await run('status')).code).toBe(3);
    expect((await run('status db')).code).toBe(5);
  });

  it('is 5 while something is starting (monitors 37)', async () => {
    keeper.put(supervised({ name: 'db' }), starting());
    expect((await run('status')).code).toBe(5);
  });

  it('is 4 when no keeper answers, with the socket and what would do on stderr (monitors 37)', async () => {
    keeper.close();
    const { code, terminal } = await run('status --json');
    expect(code).toBe(4);
    expect(terminal.printed()).toBe('');
    expect(terminal.complained()).toBe(
      `upkeep: no keeper answers: not the one of UPKEEP_RUNTIME_DIR at ${keeper.socket} (there is no such socket); start one with \`upkeep run\`\n`,
    );
  });

  it('is 2 for a NAME that matches nothing, with what was meant', async () => {
    keeper.put(supervised({ name: 'postgres' }), running(1));
    const { code, terminal } = await run('status postgers');
    expect(code).toBe(2);
    expect(terminal.complained()).toBe('upkeep: there is no service postgers; did you mean postgres\n');
  });

  it('says so when the NAME is one of another host', async () => {
    keeper.close();
    await open({
      facts: { elsewhere: [{ name: 'ldap', hosts: 'dns', reason: 'for hosts dns, and web1 is none of them' }] },
    });
    const { code, terminal } = await run('status ldap');
    expect(code).toBe(2);
    expect(terminal.complained()).toBe('upkeep: ldap is not for this host: for hosts dns, and web1 is none of them\n');
  });

  it('is all that --quiet says', async () => {
    keeper.put(supervised({ name: 'web' }), backoff(8000));
    const { code, terminal } = await run('status --quiet');
    expect([code, terminal.printed(), terminal.complained()]).toEqual([3, '', '']);
  });
});

describe('the table of status', () => {
  beforeEach(() => {
    keeper.put(watched({ name: 'ssh' }), running(812));
    keeper.put(supervised({ name: 'web' }), backoff(8000), {
      lastDeath: died,
      restarts: { total: 2, window: [], streak: 2, pace: 'normal', lastStart: null },
    });
    keeper.put(supervised({ name: 'cron' }), stopped(), {
      override: {
        desired: 'down',
        by: { pid: 1, name: null, uid: 1000, user: 'alice', grade: 'seen' },
        since: wallTime(NOW),
        until: wallTime(NOW + 5_400_000),
        lasts: 'always',
        reason: 'moving it',
      },
    });
  });

  it('shows everything in a pipe, without colours, and cuts nothing', async () => {
    const { terminal } = await run('status');
    expect(terminal.printed().split('\n')).toEqual([
      `web1: 1 running, 1 backoff, 1 stopped; the keeper in ${keeper.directory} (pid 801, up 2 h)`,
      '',
      'NAME  STATE    PID  UP      RESTARTS  LAST                    NEXT            BY HAND',
      'ssh   running  812  15 min  0         -                       -               -',
      'web   backoff  -    -       2         exit code 1, 2.0 s ago  start in 8.0 s  -',
      'cron  stopped  -    -       0         -                       -               stopped by alice until 11:30: moving it',
      '',
    ]);
  });

  it('has one column for what matters most on a terminal of 80 columns', async () => {
    const { terminal } = await run('status', { columns: 80 });
    expect(terminal.printed().split('\n').slice(2, 6)).toEqual([
      'NAME  STATE    PID  UP      RESTARTS  NOTE',
      'ssh   running  812  15 min  0         -',
      'web   backoff  -    -       2         start in 8.0 s',
      'cron  stopped  -    -       0         stopped by alice until 11:30: moving it',
    ]);
  });

  it('shows name, state and uptime on a narrow terminal', async () => {
    const { terminal } = await run('status', { columns: 40 });
    expect(terminal.printed().split('\n').slice(2, 6)).toEqual([
      'NAME  STATE    UP',
      'ssh   running  15 min',
      'web   backoff  -',
      'cron  stopped  -',
    ]);
  });

  it('never is wider than the terminal', async () => {
    for (const columns of [30, 60, 79, 110, 120]) {
      const { terminal } = await run('status', { columns });
      const widest = Math.max(
        ...terminal
          .printed()
          .split('\n')
          .map((line) => line.length),
      );
      expect(widest).toBeLessThanOrEqual(columns);
    }
  });

  it('shows those that a glob or a name means, in the order of the keeper', async () => {
    const { terminal } = await run('ls cron s*');
    expect(
      terminal
        .printed()
        .split('\n')
        .slice(3, -1)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['ssh', 'cron']);
  });
});

describe('status', () => {
  it('prints JSON and nothing else on stdout, and warnings on stderr (monitors 37)', async () => {
    keeper.close();
    await open({ keeper: { pending: true } });
    keeper.put(supervised({ name: 'web' }), running(812));
    keeper.put(supervised({ name: 'db' }), running(813));
    const { terminal } = await run('status db --json');
    const printed = JSON.parse(terminal.printed());
    expect(printed).toEqual({
      ...keeper.status(),
      services: keeper.status().services.filter(({ name }) => name === 'db'),
    });
    expect(terminal.complained()).toBe(
      'upkeep: /etc/upkeep/upkeep.yaml has changed since it was applied; `upkeep plan` says what would change, `upkeep apply` does it\n',
    );
  });

  it('does not promise that a broken file can be applied', async () => {
    keeper.close();
    await open({
      keeper: { pending: true, problems: ['the configuration is broken, the last good one counts:', 'oh'] },
    });
    const { terminal } = await run('status');
    expect(terminal.complained()).toBe(
      'upkeep: /etc/upkeep/upkeep.yaml has changed since it was applied, and was broken when the keeper read it; `upkeep check` says what is wrong, `upkeep apply` takes the mended one\n',
    );
  });

  it('begins with the problems of the keeper', async () => {
    keeper.close();
    await open({ keeper: { problems: ['the configuration is broken, the last good one counts:', 'a.yaml:1:2: oh'] } });
    const { terminal } = await run('status');
    expect(terminal.printed().split('\n').slice(0, 4)).toEqual([
      'the configuration is broken, the last good one counts:',
      'a.yaml:1:2: oh',
      '',
      `web1: no services; the keeper in ${keeper.directory} (pid 801, up 2 h)`,
    ]);
  });

  it('shows a card for one NAME, with what only operators may see', async () => {
    keeper.close();
    await open({ detail: () => ({ spec: { kind: { run: { argv: ['node', 'a b.js'] } } }, log: { dropped: 12 } }) });
    keeper.put(supervised({ name: 'web', description: 'The shop' }), backoff(8000), { lastDeath: died });
    const { terminal } = await run('status web');
    expect(terminal.printed().split('\n')).toEqual([
      'web  backoff  The shop',
      '  state        backoff since 09:59: next try in 8.0 s: exit code 1',
      '  wanted       up',
      '  kind         supervised',
      '  generation   0',
      '  restarts     0 in all, 0 count towards the limit',
      '  next         start in 8.0 s',
      '  last death   exit code 1, 2.0 s ago (09:59)',
      `  incident     ${died.incident}`,
      '  runs         node "a b.js"',
      '  output lost  12 bytes: there was no room on the disk',
      '',
    ]);
  });

  it('lists with --all those that are not for this host, and why', async () => {
    keeper.close();
    await open({ facts: { elsewhere: [{ name: 'ldap', hosts: 'dns', reason: 'web1 is none of them' }] } });
    keeper.put(supervised({ name: 'web' }), running(812));
    const { terminal } = await run('status --all');
    expect(terminal.printed().split('\n').slice(-4)).toEqual([
      'not for this host:',
      'NAME  HOSTS  WHY',
      'ldap  dns    web1 is none of them',
      '',
    ]);
  });

  it('tells with --keeper what is missing on this host and what that means', async () => {
    keeper.close();
    await open({
      facts: {
        without: [{ name: 'tracefs', effect: 'who sent a signal is not known' }],
        paths: { logs: '/var/log/upkeep' },
        memory: { rss: 76 * 2 ** 20 },
        counters: { loopDelay: Math.PI },
      },
    });
    const { code, terminal } = await run('status --keeper');
    expect(code).toBe(0);
    expect(terminal.printed().split('\n')).toEqual([
      `web1: the keeper in ${keeper.directory}`,
      '  pid            801, since 08:00 (2 h)',
      '  version        0.1.0',
      '  configuration  /etc/upkeep/upkeep.yaml',
      '  kept by        nobody: when it ends it stays away; `upkeep install` changes that',
      '  services       0, and 0 for other hosts',
      `  socket         ${keeper.socket}`,
      '  logs           /var/log/upkeep',
      '  memory rss     76.0 MiB',
      '  loop delay     3.1',
      '',
      'missing on this host, and what that means:',
      '  tracefs  who sent a signal is not known',
      '',
    ]);
  });

  it('tells with --keeper how the keeper before ended, of a disk that hangs, and for how long it is there by its own clock', async () => {
    keeper.close();
    await open({
      facts: {
        uptimeSeconds: 40,
        before: { pid: 700, text: 'the keeper before (pid 700) was killed' },
        disk: { lateSeconds: 90 },
        counters: { logBytesDropped: 12 },
      },
    });
    const lines = (await run('status --keeper')).terminal.printed().split('\n');
    expect(lines).toContain('  pid                801, since 08:00 (40 s)');
    expect(lines).toContain('  before             the keeper before (pid 700) was killed');
    expect(lines).toContain('  log bytes dropped  12');
    expect(lines.find((line) => line.startsWith('  disk '))).toMatch(/has not answered for 90 s: /);
  });

  it('takes away what would turn a terminal around', async () => {
    keeper.put(supervised({ name: 'web', description: 'a\u001b[31mb\nc\u202ed' }), running(812));
    const { terminal } = await run('status web', { columns: 80 });
    expect(terminal.printed().split('\n')[0]).toBe('web  running  a [31mb c d');
  });

  it('shows itself again with --watch when something changes, until Ctrl-C', async () => {
    keeper.put(supervised({ name: 'web' }), running(812));
    const { ended, terminal } = begin('status --watch', keeper);
    await expect.poll(terminal.printed, { timeout: 10_000 }).toMatch(/web {3}running/);
    keeper.move('web', backoff(5000));
    await expect.poll(terminal.printed, { timeout: 10_000 }).toMatch(/web {3}backoff/);
    terminal.interrupt();
    expect(await ended).toBe(3);
  });

  it('waits with --watch for a keeper that went away', async () => {
    keeper.put(supervised({ name: 'web' }), running(812));
    const { ended, terminal } = begin('status --watch', keeper);
    await expect.poll(terminal.printed, { timeout: 10_000 }).toMatch(/web {3}running/);
    keeper.hangUp();
    await expect.poll(terminal.complained, { timeout: 10_000 }).toMatch(/the keeper went away/);
    terminal.interrupt();
    await ended;
  });

  it('is shown by a bare upkeep, with the commands to know', async () => {
    keeper.put(supervised({ name: 'web' }), running(812));
    const { code, terminal } = await run('');
    expect(code).toBe(0);
    expect(terminal.printed()).toMatch(/web {3}running[\s\S]*upkeep restart NAME/);
  });
});
