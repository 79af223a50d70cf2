// Generations beside one another, as the table and the card show them, and what a service says of itself.

import { beforeEach, describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { openKeeper, runCommand, type TypeOptions } from '../../test/support/command-line.js';
import { type FakeKeeper, INSTANT, processRef, running } from '../../test/support/fake-keeper.js';
import { type Handover, type Outgoing, silent } from '../core/state.js';
import { instant, millis, seconds } from '../core/time.js';

process.env.TZ = 'UTC';

let keeper: FakeKeeper;
const run = async (command: string, options?: TypeOptions): Promise<readonly string[]> =>
  (await runCommand(command, keeper, options)).terminal.printed().split('\n');

const at = (ms: number) => instant(INSTANT + ms);

const handover: Handover = {
  ...{ name: 'handover', since: at(-3000), process: processRef(812), servedSince: at(-300_000), generation: 4 },
  ...{ successor: processRef(913), phase: 'transfer', hook: 0, helper: null, said: silent, still: at(-1000) },
  ...{ why: 'requested', deadline: at(7000) },
};

const draining: Outgoing = {
  ...{ process: processRef(812), generation: 3, since: at(-4000), why: 'drained', phase: 'asked', cut: 'no' },
  deadline: at(56_000),
};

const old: Outgoing = { ...draining, process: processRef(700), generation: 2, why: 'own', deadline: null };

beforeEach(async () => {
  keeper = await openKeeper();
});

describe('the table', () => {
  it('shows both processes of a hand-over, and how many drain', async () => {
    keeper.put(supervised({ name: 'api' }), handover, { generation: 3 });
    keeper.put(supervised({ name: 'web' }), running(913), { generation: 4, draining: [draining] });
    const lines = await run('status', { columns: 80 });
    expect(lines.slice(2, 5)).toEqual([
      'NAME  STATE     PID      UP      RESTARTS  NOTE',
      'api   handover  812>913  15 min  0         -',
      'web   running   913 +1   15 min  0         pid 812 finishes, is ended in 56 s',
    ]);
  });

  it('has a column for what services say of themselves where one does, cleaned of what a terminal would obey', async () => {
    keeper.put(supervised({ name: 'web' }), running(913), {
      said: { ...silent, status: 'serving \u001b[31m12\u001b[0m clients' },
    });
    keeper.put(supervised({ name: 'db' }), running(5));
    expect((await run('status')).slice(2, 5)).toEqual([
      'NAME  STATE    PID  UP      RESTARTS  LAST  NEXT  SAYS',
      'web   running  913  15 min  0         -     -     serving  [31m12 [0m clients',
      'db    running  5    15 min  0         -     -     -',
    ]);
    expect((await run('status', { columns: 80 }))[3]).toBe(
      'web   running  913  15 min  0         says: serving  [31m12 [0m clients',
    );
  });

  it('counts what serves while it hands over as up', async () => {
    keeper.put(supervised({ name: 'api' }), handover);
    expect((await runCommand('status', keeper)).code).toBe(0);
    expect((await runCommand('wait api', keeper)).code).toBe(0);
  });
});

describe('the card', () => {
  it('tells who takes over, and what comes of it', async () => {
    keeper.put(supervised({ name: 'api' }), handover, { generation: 3 });
    const card = (await run('status api')).join('\n');
    expect(card).toMatch(/state +handover since 09:59: the state goes over \(pid 913\); pid 812 serves/);
    expect(card).toMatch(/hands over +to process 913 \(generation 4\): the state goes over/);
  });

  it('has a line for each generation that has not ended, its watchdog and its reload', async () => {
    keeper.put(supervised({ name: 'web' }), running(913), {
      draining: [draining, old],
      watchdog: { period: millis(30_000), due: at(12_000) },
      reloading: { phase: 'reloading', since: at(-2000), deadline: at(88_000) },
      said: { ...silent, status: 'serving' },
    });
    const card = (await run('status web')).join('\n');
    expect(card).toMatch(
      / +draining +process 812 \(generation 3\) has been finishing what it had begun for 4\.0 s; it is ended in 56 s\n +process 700 \(generation 2\) named its successor 4\.0 s ago, and ends when it likes\n/,
    );
    expect(card).toMatch(/says +serving\n/);
    expect(card).toMatch(/watchdog +it has to say every 30 s that it lives, next in 12 s\n/);
    expect(card).toMatch(/reloads +since 09:59; it has to say READY=1 in 88 s\n/);
  });
});

describe('its JSON', () => {
  it('has all of it for everybody, as systemd shows it to all; times are times', async () => {
    keeper.close();
    keeper = await openKeeper({ uid: 1000 });
    keeper.put(supervised({ name: 'web' }), running(913), {
      draining: [draining],
      watchdog: { period: seconds(30), due: at(12_000) },
      said: { ...silent, status: 'up\u202e' },
    });
    keeper.put(supervised({ name: 'api' }), handover);
    const [web, api] = JSON.parse((await run('status --json')).join('\n')).services;
    expect(web).toMatchObject({
      statusText: 'up',
      handover: null,
      reloading: null,
      watchdog: { period: 30_000, due: '2026-11-20T10:00:12.000Z' },
      draining: [{ pid: 812, generation: 3, why: 'drained', until: '2026-11-20T10:00:56.000Z' }],
    });
    expect(api).toMatchObject({
      state: 'handover',
      process: { pid: 812 },
      statusText: null,
      handover: { pid: 913, generation: 4, phase: 'transfer', text: 'the state goes over' },
    });
  });
});

describe('apply', () => {
  const entry = (name: string) => ({ name, action: 'handover', keys: ['run'], why: 'a new process is needed for run' });
  const plan = { entries: Array.from({ length: 8 }, (_, index) => entry(`web-${index}`)), also: [], problems: [] };

  it('does not ask about hand-overs, however many: nobody is without a service', async () => {
    keeper.close();
    keeper = await openKeeper({ govern: { plan: () => plan, apply: () => plan } });
    const { code, terminal } = await runCommand('apply', keeper, { columns: 100, colours: 'yes' });
    expect([code, terminal.complained()]).toEqual([0, '']);
    expect(terminal.printed()).toMatch(/web-0 +hand over +a new process is needed for run \(changed: run\)/);
  });
});
