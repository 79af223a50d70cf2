// What people and scripts read of a hand-over, from the real keeper: its commands, its status, its history, its notices and its
// metrics. That nothing is lost is proved in handover.test.ts.

import { describe, expect, it } from 'vitest';
import { handingOver, refuse } from '../support/handing-over.js';
import { type Home, newHome } from '../support/keeper.js';

/** Ports of this process's own, below the range from which the kernel takes the others. */
let next = 20_000 + (process.pid % 800) * 10;

/** A length of time as it is told. */
const LENGTH = String.raw`(\d+(\.\d)? ms|\d+(\.\d)? s)`;
const SIZE = String.raw`[\d.]+ \w*B`;

/** Python with a word for sd_notify; `does` is what it does, line by line. */
const python = (...does: readonly string[]): readonly string[] => [
  '/usr/bin/python3',
  '-c',
  [
    'import os, signal, socket, sys, time',
    'def say(text): socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text.encode(), os.environ["NOTIFY_SOCKET"])',
    'signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))',
    ...does,
  ].join('\n'),
];
const stays = ['while True: signal.pause()'];

async function serving(service: object, rest: Readonly<Record<string, unknown>> = {}): Promise<Home> {
  const home = newHome();
  home.configure({ web: service }, rest);
  await home.start();
  await home.running('web');
  return home;
}

const metric = async (home: Home, name: string): Promise<number> => {
  const answer = await home.get('/metrics');
  const line = answer.type === 'ok' ? new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(String(answer.body)) : null;
  return Number(line?.[1] ?? Number.NaN);
};

const historyOf = async (home: Home): Promise<readonly string[]> =>
  (await home.upkeep('history', 'web', '-n', 'all')).stdout.split('\n').map((line) => line.slice(21).trim());

describe('upkeep restart', () => {
  it('ends with the new process, the old one, how long it took and what went over; and so does the history', async () => {
    const home = newHome();
    home.configure({ web: handingOver(home, next++) });
    await home.start();
    const old = await home.running('web');
    const { code, stdout, stderr } = await home.upkeep('restart', 'web');
    const now = await home.running('web', old);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(
        `^web  running \\(pid ${now}\\), was pid ${old}; ${LENGTH}; ${SIZE} of state went over; pid ${old} finishes what it has begun\\n$`,
      ),
    );
    await home.when('web', ({ draining }) => draining.length === 0);
    await home.until('the history has it', async () =>
      (await historyOf(home)).some((line) => /has finished/.test(line)),
    );
    const told = (await historyOf(home)).join('\n');
    expect(told).toMatch(/^web {2}restart by /m);
    expect(told).toMatch(/^web {2}handing over: generation 2 of web is started beside the old one$/m);
    expect(told).toMatch(new RegExp(`^web {2}web is running \\(pid ${now}\\), was pid ${old}; handed over in `, 'm'));
    expect(told).toMatch(new RegExp(`^web {2}the old generation of web \\(pid ${old}\\) has finished after `, 'm'));
    // How far it was is for those who watch.
    expect(told).not.toMatch(/goes over|is ready$/m);
    expect(await metric(home, 'upkeep_service_handovers_total')).toBe(1);
    expect(await metric(home, 'upkeep_service_draining')).toBe(0);
  });

  it('says why it was refused, ends with 1, and writes to people; the status goes on as before', async () => {
    const home = newHome();
    const notices = { channels: { file: { file: home.at('notices') } } };
    home.configure({ web: handingOver(home, next++) }, { notices });
    await home.start();
    const old = await home.running('web');
    refuse(home, 'the tables are \u001b[31mof 1997');
    const { code, stdout, stderr } = await home.upkeep('restart', 'web');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      new RegExp(
        `^upkeep: web: restart failed: the new generation refused: the tables are .*of 1997; the old generation goes on \\(pid ${old}\\)\\n$`,
      ),
    );
    expect(stderr).not.toContain('\u001b');
    await home.until('the notice', () => home.read('notices').includes('REFUSED'));
    expect(home.read('notices')).toMatch(
      /REFUSED\] web: the new generation refused: the tables are .*; the old one goes on/,
    );
    expect(home.read('notices')).not.toContain('\u001b');
    expect((await home.upkeep('status')).code).toBe(0);
    await home.until('the card says so', async () =>
      /the last attempt to replace it, .* ago, came to nothing: the new generation refused: the tables are/.test(
        (await home.upkeep('why', 'web')).stdout,
      ),
    );
    expect(await metric(home, 'upkeep_service_handovers_refused_total')).toBe(1);
  });

  it('says the same of a program that knows nothing of it and ends with a code', async () => {
    const home = newHome();
    const run = python(`if os.path.exists("${home.at('broken')}"): sys.exit(3)`, 'say("READY=1")', ...stays);
    home.configure({ web: { run, ready: 'notify', handover: 'overlap' } });
    await home.start();
    const old = await home.running('web');
    home.write('broken', '');
    const { code, stderr } = await home.upkeep('restart', 'web');
    expect(code).toBe(1);
    expect(stderr).toBe(
      `upkeep: web: restart failed: the new process ended before it was ready: code 3; the old generation goes on (pid ${old})\n`,
    );
  });

  it('says for how long nobody was there, where a service is stopped and started on a socket that is held', async () => {
    const run = python('say("READY=1")', ...stays);
    const home = await serving({ run, ready: 'notify', sockets: { http: `127.0.0.1:${next++}` } });
    const { code, stdout } = await home.upkeep('restart', 'web');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^web  running \\(pid \\d+\\); ${LENGTH} without a process; who connected meanwhile was queued\\n$`),
    );
  });
});

describe('upkeep reload', () => {
  it('hands over where the service has no reload of its own', async () => {
    const run = python('say("READY=1")', ...stays);
    const home = await serving({ run, ready: 'notify', handover: 'overlap' });
    const old = await home.running('web');
    const { code, stdout } = await home.upkeep('reload', 'web');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^web  running \\(pid \\d+\\), was pid ${old}; ${LENGTH}; pid ${old} finishes`)),
    ]);
  });

  it('waits until the service says that it is done, where it says so', async () => {
    const home = newHome();
    const run = python(
      'def reload(*_):',
      '  say("RELOADING=1\\nMONOTONIC_USEC=%d\\nSTATUS=reading" % (time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000))',
      `  while not os.path.exists("${home.at('go')}"): time.sleep(0.02)`,
      '  say("READY=1\\nSTATUS=serving")',
      'signal.signal(signal.SIGHUP, reload)',
      'say("READY=1\\nSTATUS=serving")',
      ...stays,
    );
    home.configure({ web: { run, ready: 'notify', reload: { signal: 'SIGHUP', notify: true } } });
    await home.start();
    await home.running('web');
    const reload = home.upkeep('reload', 'web');
    const meanwhile = await home.when('web', ({ statusText }) => statusText === 'reading');
    expect(meanwhile.reloading).toMatchObject({ until: expect.any(String) });
    expect((await home.upkeep('why', 'web')).stdout).toMatch(/it has been reloading for .*READY=1/);
    home.write('go', '');
    expect(await reload).toMatchObject({ code: 0, stdout: 'web  reloaded\n' });
    expect((await home.service('web')).reloading).toBeNull();
    await home.until('the log says so', async () => (await historyOf(home)).includes('web  web has reloaded'));
  });
});

describe('upkeep status', () => {
  it('shows what drains under its service, with its pid, and what it says of itself, to everybody', async () => {
    const home = newHome();
    const run = python(
      `signal.signal(signal.SIGTERM, lambda *_: None if not os.path.exists("${home.at('go')}") else sys.exit(0))`,
      'say("READY=1\\nSTATUS=serving %s" % os.environ["UPKEEP_GENERATION"])',
      `while not os.path.exists("${home.at('go')}"): time.sleep(0.02)`,
    );
    home.configure({ web: { run, ready: 'notify', handover: { mode: 'overlap', drain: '10m' } } });
    await home.start();
    const old = await home.running('web');
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    const now = await home.running('web', old);
    const { draining, statusText } = await home.when('web', (is) => is.statusText === 'serving 2');
    expect(statusText).toBe('serving 2');
    expect(draining).toEqual([
      { pid: old, generation: 1, since: expect.any(String), why: 'drained', until: expect.any(String) },
    ]);
    const card = (await home.upkeep('status', 'web')).stdout;
    expect(card).toMatch(
      new RegExp(
        `draining +process ${old} \\(generation 1\\) has been finishing what it had begun for .*; it is ended in 10 min`,
      ),
    );
    expect(card).toMatch(/says +serving 2/);
    expect((await home.upkeep('status')).stdout).toMatch(new RegExp(`web +running +${now} \\+1 .*serving 2`));
    expect(await metric(home, 'upkeep_service_draining')).toBe(1);
    // One more would be too many, and it is said which ones are in the way.
    const second = await home.upkeep('restart', 'web');
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(`restart failed: an old generation of it \\(process ${old}\\) still finish`),
    );
    home.write('go', '');
  });
});

describe('upkeep plan and apply', () => {
  it('hand over, and move nobody who needs the service', async () => {
    const home = newHome();
    const run = python('say("READY=1")', ...stays);
    const web = { run, ready: 'notify', handover: 'overlap' };
    const api = { run: python(...stays), needs: ['web'] };
    home.configure({ web, api });
    await home.start();
    const [old, neighbour] = [await home.running('web'), await home.running('api')];
    home.configure({ web: { ...web, env: { COLOUR: 'blue' } }, api });
    const plan = (await home.upkeep('plan')).stdout;
    expect(plan).toMatch(/^web +hand over +a new process is needed for env/m);
    expect(plan).toMatch(/^no action: 1 service$/m);
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.running('web', old);
    expect(await home.running('api')).toBe(neighbour);
  });
});

describe('upkeep why', () => {
  it('tells for how long a service was silent, that the end was ours, and what it had said of itself (graceful A11)', async () => {
    const run = python('say("READY=1\\nERRNO=28\\nSTATUS=writing \\x1b[2J the index")', ...stays);
    const restart = { delay: '1h', backoff: { max: '1h' } };
    const home = newHome();
    home.configure({ web: { run, ready: 'notify', watchdog: '500ms', restart, limits: { core: 0 } } });
    await home.start();
    const { lastDeath } = await home.when('web', (is) => is.lastDeath !== null && is.process === null);
    expect(lastDeath).toMatchObject({
      cause: 'watchdog',
      said: { errno: 28, busError: null, varlinkError: null, status: 'writing  [2J the index' },
      text: expect.stringMatching(
        /^did not say for 0\.5 s that it lives; ended by us \(SIGABRT.*\); it had said ENOSPC \(28\)$/,
      ),
    });
    const { stdout } = await home.upkeep('why', 'web');
    expect(stdout).toMatch(/web did not say for 0\.5 s that it lives; ended by us/);
    expect(stdout).toMatch(/seen +it had said ENOSPC \(28\) \[sd_notify\]/);
    expect(stdout).toMatch(/seen +its last status: writing {2}\[2J the index \[sd_notify\]/);
    expect(stdout).toMatch(/seen +the keeper itself \[keeper\]/);
    expect(await metric(home, 'upkeep_service_watchdog_misses_total')).toBeGreaterThan(0);
  });
});
