import { beforeEach, describe, expect, it } from 'vitest';
import { beatOf } from '../../test/support/beats.js';
import { command, heartbeat, supervised } from '../../test/support/builders.js';
import { openKeeper, runCommand, type TypeOptions } from '../../test/support/command-line.js';
import { type FakeKeeper, type FakeOptions, INSTANT, NOW, running, stopped } from '../../test/support/fake-keeper.js';
import { call } from '../control/client.js';
import type { Beat } from '../core/beat.js';
import type { HeartbeatSpec } from '../core/heartbeat.js';
import { wallTime } from '../core/time.js';

process.env.TZ = 'UTC';

let keeper: FakeKeeper;

async function open(options: FakeOptions = {}): Promise<void> {
  keeper = await openKeeper(options);
}

const run = (line: string, options?: TypeOptions) => runCommand(line, keeper, options);

const beat = (spec: HeartbeatSpec, bar: string, wish: Partial<Beat> = {}): Beat =>
  beatOf(spec, bar, { instant: INSTANT, wall: NOW }, wish);

const http = heartbeat({ name: 'http' });
const check = heartbeat({
  name: 'check',
  question: { kind: 'exec', command: command('/usr/local/bin/check --password hunter2'), codes: 'upkeep' },
  then: { type: 'notice' },
});

/** A running service whose one heartbeat said this. */
function put(name: string, bar: string, spec: HeartbeatSpec = http): void {
  keeper.put(supervised({ name, heartbeats: [spec] }), running(812), { health: [beat(spec, bar)] });
}

const lines = async (line: string, options?: TypeOptions) => (await run(line, options)).terminal.printed().split('\n');

beforeEach(() => open());

describe('the HEALTH column (monitors, the status view people love)', () => {
  it('is the last 12 answers, readable without colours', async () => {
    put('web', '.....X..?.......X');
    const [, , title, row] = await lines('status');
    expect(title).toMatch(/^NAME {2}STATE {4}HEALTH {8}PID/);
    expect(row).toMatch(/^web {3}running {2}X\.\.\?\.{7}X {2}812/);
  });

  it('is there only when some service has heartbeats, and empty for the others', async () => {
    keeper.put(supervised({ name: 'db' }), running(813));
    expect((await lines('status'))[2]).not.toContain('HEALTH');
    put('web', '..');
    const [, , title, db, web] = await lines('status');
    expect(title).toContain('HEALTH');
    expect(db).toMatch(/^db {4}running {2}- /);
    expect(web).toMatch(/^web {3}running {2}\.\. /);
  });

  it.each([60, 80, 100, 120])('fits a terminal of %d columns', async (columns) => {
    put('web-with-a-name', '............');
    put('dns', '....XXX');
    for (const line of await lines('status', { columns })) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('is that of the heartbeat that is worst off', async () => {
    const beats = [beat(check, '....'), beat(http, '..XXX')];
    keeper.put(supervised({ heartbeats: [check, http] }), running(812), { health: beats });
    expect((await lines('status'))[3]).toMatch(/^web {3}running {2}\.\.XXX {3}812/);
  });

  it('comes with what fails, in place of what comes next', async () => {
    put('web', '....XXX');
    expect((await lines('status'))[3]).toMatch(/http fails: no answer within 5 s$/);
    expect((await lines('status', { columns: 80 }))[3]).toContain('http fails: ');
  });
});

describe('a service that fails its heartbeat', () => {
  it('is up, so that the exit code stays 0, and its reason says what is wrong', async () => {
    put('web', '....XXX');
    const { code, terminal } = await run('status --json');
    expect(code).toBe(0);
    const [web] = JSON.parse(terminal.printed()).services;
    expect(web.reason).toBe('running for 5 min; failing its heartbeat http for 3 min: no answer within 5 s');
    expect(web.health).toMatchObject({
      state: 'failing',
      heartbeats: [{ name: 'http', state: 'failing', at: '2026-11-20T09:59:59.000Z', ms: 5000, kind: 'tcp' }],
    });
  });

  it('has not failed for the reason that nobody could ask it since', async () => {
    const { verdict, ailing } = beat(http, '..XXX');
    keeper.put(supervised({ heartbeats: [http] }), running(812), {
      health: [beat(http, '..XXX?', { verdict, ailing })],
    });
    expect((await lines('status'))[3]).toMatch(
      /http failed, and could not be asked since: localhost does not resolve$/,
    );
    const [web] = JSON.parse((await run('status --json')).terminal.printed()).services;
    expect(web.reason).toMatch(
      /failing its heartbeat http for 3 min: no answer within 5 s \(and could not be asked for 60 s now\)$/,
    );
  });

  it('is listed by `why` without a name, with what is done and commands that help', async () => {
    put('web', '....XXX');
    put('dns', '....');
    const { terminal } = await run('why');
    expect(terminal.printed()).toContain('it does not do its work: its heartbeat http has failed 3 times in a row');
    expect(terminal.printed()).toContain('upkeep test web');
    expect(terminal.printed()).not.toContain('dns');
  });

  it('is told on its card in whole', async () => {
    put('web', '..X?');
    const { terminal } = await run('status web');
    const card = terminal.printed().split('\n').slice(0, -1);
    expect(card).toEqual([
      'web  running',
      expect.stringMatching(
        /^ {2}state .*running for 5 min; its heartbeat http could not be asked for 60 s: localhost does not resolve$/,
      ),
      ...card.slice(2, 5),
      '  health      unknown',
      '  heartbeat   http: could not be asked for 60 s; 1.0 s ago it could not be asked after 12 ms: localhost does not resolve',
      '              asks tcp localhost:8080',
      '              every 30 s, next in 9.0 s; if it fails 3 times in a row: a restart',
      '              ..X?  (. good, X failed, ? could not ask)',
      ...card.slice(10),
    ]);
  });
});

describe('health is unknown', () => {
  it('while the service is down, whatever it said before', async () => {
    keeper.put(supervised({ heartbeats: [http] }), stopped(), { health: [beat(http, '....')] });
    const [web] = JSON.parse((await run('status --json')).terminal.printed()).services;
    expect(web.health).toMatchObject({ state: 'unknown', heartbeats: [{ state: 'unknown', next: null }] });
  });

  it('under a hold, and before the first answer', async () => {
    const hold = { by: null, since: wallTime(NOW), until: null, reason: null };
    keeper.put(supervised({ heartbeats: [http] }), running(812), { health: [beat(http, '....')], hold });
    keeper.put(supervised({ name: 'new', heartbeats: [http] }), running(813), { health: [beat(http, '')] });
    const { services } = JSON.parse((await run('status --json')).terminal.printed());
    expect(services.map((one: { health: { state: string } }) => one.health.state)).toEqual(['unknown', 'unknown']);
    expect((await lines('status'))[4]).toMatch(/^new {3}running {2}- /);
  });
});

it('what a program printed, and its command line, are for operators alone', async () => {
  await open({ uid: 1000 });
  put('web', '....XXX', check);
  for (const line of ['status --json', 'status web', 'status', 'why --json', 'why web']) {
    const { terminal } = await run(line);
    expect(terminal.printed(), line).toContain('check');
    expect(terminal.printed(), line).not.toMatch(/hunter2|no answer within/);
  }
});

describe('wait --for healthy', () => {
  it('is over when the service runs and its heartbeats are good, or it has none', async () => {
    put('web', '....');
    keeper.put(supervised({ name: 'db' }), running(813));
    expect((await run('wait web db --for healthy')).code).toBe(0);
  });

  it('goes on while one fails or has not answered yet, and says how it is', async () => {
    put('web', '....XXX');
    const { code, terminal } = await run('wait web --for healthy --timeout 100ms');
    expect(code).toBe(5);
    expect(terminal.complained()).toContain(
      'web is not healthy: running, running for 5 min; failing its heartbeat http',
    );
  });

  it('sees a first good answer, of which nobody is told', async () => {
    put('web', '');
    const waiting = run('wait web --for healthy --timeout 30s');
    put('web', '.');
    expect((await waiting).code).toBe(0);
  });

  it('gives up at once where a hold keeps it from being asked', async () => {
    const hold = { by: null, since: wallTime(NOW), until: null, reason: null };
    keeper.put(supervised({ heartbeats: [http] }), running(812), { health: [beat(http, '....')], hold });
    expect((await run('wait web --for healthy')).code).toBe(5);
  });
});

it('Prometheus reads what the heartbeats say, and nothing of what is not known', async () => {
  put('web', '..');
  put('dns', '..XXX');
  put('new', '');
  put('far', '.?');
  const answer = await call({ socket: keeper.socket, method: 'GET', path: '/metrics', patience: 5000 });
  const text = answer.type === 'ok' ? String(answer.body) : '';
  const of = (name: string) => text.split('\n').filter((line) => line.startsWith(`${name}{`));
  expect(of('upkeep_heartbeat_up')).toEqual([
    'upkeep_heartbeat_up{service="web",heartbeat="http"} 1',
    'upkeep_heartbeat_up{service="dns",heartbeat="http"} 0',
  ]);
  expect(of('upkeep_heartbeat_unasked')).toContain('upkeep_heartbeat_unasked{service="far",heartbeat="http"} 1');
  expect(of('upkeep_heartbeat_seconds')).toHaveLength(3);
});
