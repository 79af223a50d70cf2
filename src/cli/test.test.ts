import { describe, expect, it } from 'vitest';
import { command, heartbeat, supervised } from '../../test/support/builders.js';
import { openKeeper, runCommand } from '../../test/support/command-line.js';
import { type FakeOptions, running, stopped } from '../../test/support/fake-keeper.js';
import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { Answer } from '../core/question.js';
import { millis } from '../core/time.js';

const http = heartbeat({ name: 'http' });
const check = heartbeat({
  name: 'check',
  question: { kind: 'exec', command: command('/usr/local/bin/check'), codes: 'upkeep' },
});

const answers: Readonly<Record<string, Answer>> = {
  http: { result: 'failed', ms: millis(5003.21), detail: 'no answer within 5 s (connect 2 ms, then silence)' },
  check: { result: 'good', ms: millis(41), detail: 'all \u001b[31mwell' },
};

const steps = [
  { name: 'resolve', ms: millis(0.4), detail: '127.0.0.1, ::1' },
  { name: 'connect', ms: millis(2.04), detail: '127.0.0.1:8080' },
  { name: 'answer', ms: millis(5000), detail: null },
];

/** Whoever is told what was asked with which time. */
async function open(options: FakeOptions = {}, asked: HeartbeatSpec[] = []) {
  return openKeeper({
    test: (_service, spec) => {
      asked.push(spec);
      const answer = answers[spec.name] ?? { result: 'unasked', ms: millis(0), detail: 'there is no such user' };
      return Promise.resolve({ answer, steps: spec.name === 'http' ? steps : [] });
    },
    ...options,
  });
}

describe('upkeep test', () => {
  it('shows what each heartbeat answers now, and how long each step took (monitors, ask now)', async () => {
    const keeper = await open();
    keeper.put(supervised({ heartbeats: [http, check] }), running(812));
    const { code, terminal } = await runCommand('test web', keeper, { columns: 80 });
    expect(terminal.printed().split('\n').slice(0, -1)).toEqual([
      'web  running',
      '  http  tcp localhost:8080',
      '    0.4 ms  resolve  127.0.0.1, ::1',
      '      2 ms  connect  127.0.0.1:8080',
      '     5.0 s  answer',
      '    failed after 5.0 s: no answer within 5 s (connect 2 ms, then silence)',
      '  check  exec /usr/local/bin/check',
      '    good after 41 ms: all  [31mwell',
    ]);
    expect(code).toBe(1);
  });

  it('asks one of them where it is named, with the time that is given, and is 0 when it was good', async () => {
    const asked: HeartbeatSpec[] = [];
    const keeper = await open({}, asked);
    keeper.put(supervised({ heartbeats: [http, check] }), running(812));
    expect((await runCommand('test web check --timeout 2s', keeper)).code).toBe(0);
    expect(asked).toEqual([{ ...check, timeout: 2000 }]);
  });

  it('is 1 also where it could not be asked: nobody knows more than before', async () => {
    const keeper = await open();
    keeper.put(supervised({ heartbeats: [heartbeat({ name: 'lost' })] }), running(812));
    const { code, terminal } = await runCommand('test web', keeper);
    expect([code, terminal.printed()]).toEqual([
      1,
      'web  running\n  lost  tcp localhost:8080\n    could not ask after 0 ms: there is no such user\n',
    ]);
  });

  it('asks also what is down, and says so', async () => {
    const keeper = await open();
    keeper.put(supervised({ heartbeats: [check] }), stopped());
    const { code, terminal } = await runCommand('test web', keeper);
    expect(terminal.printed()).toContain('web does not run: what answers here is something else, or nothing');
    expect(code).toBe(0);
  });

  it('prints the document of the keeper with --json', async () => {
    const keeper = await open();
    keeper.put(supervised({ heartbeats: [check] }), running(812));
    const { terminal } = await runCommand('test web --json', keeper);
    expect(JSON.parse(terminal.printed())).toEqual({
      version: 1,
      service: 'web',
      state: 'running',
      notAsked: null,
      answers: [{ heartbeat: 'check', kind: 'exec', asks: 'exec /usr/local/bin/check', ...answers.check, steps: [] }],
    });
  });

  it('says what is wrong with what was typed', async () => {
    const keeper = await open();
    keeper.put(supervised({ heartbeats: [http] }), running(812));
    keeper.put(supervised({ name: 'db' }), running(813));
    const said = async (line: string) => {
      const { code, terminal } = await runCommand(line, keeper);
      return [code, terminal.complained()];
    };
    expect(await said('test web htp')).toEqual([2, 'upkeep: web has no heartbeat "htp"; it has http\n']);
    expect(await said('test db')).toEqual([
      1,
      'upkeep: db has no heartbeats; `upkeep help heartbeat` says how to ask\n',
    ]);
    expect((await said('test web --timeout 5'))[0]).toBe(2);
  });

  it('is for operators: it has somebody else ask (product 4)', async () => {
    const keeper = await open({ uid: 1000 });
    keeper.put(supervised({ heartbeats: [http] }), running(812));
    const { code, terminal } = await runCommand('test web', keeper);
    expect(code).toBe(1);
    expect(terminal.complained()).toContain('test is for root');
  });

  it('is completed with the names of heartbeats', async () => {
    const keeper = await open();
    keeper.put(supervised({ heartbeats: [http, check] }), running(812));
    const { terminal } = await runCommand(['__complete', 'test', 'web', ''], keeper);
    expect(terminal.printed()).toBe('http\ncheck\n');
  });
});
