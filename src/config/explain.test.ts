import { describe, expect, it } from 'vitest';
import { loadText } from '../../test/support/configuration.js';
import { explain, explanationLines } from './explain.js';

const TEXT = `
defaults: { env: { TZ: UTC } }
templates:
  slow: { restart: { delay: 5s } }
services:
  web: { run: node 'a b', extends: slow, env: { A: 1 }, ready: { port: 80, timeout: 10s }, stop: [{wait: 20s}, SIGKILL] }
  ssh: { watch: sshd, start: service ssh restart, settle: 2s }
  idle: { watch: /x, stop: { wait: none }, restart: never }
  app:
    run: x
    needs: { web: { grace: 5s }, ssh: {} }
    hooks:
      condition: test -e /srv/app
      beforeStart: [a, { exec: b, timeout: 10s }]
      afterStart: { exec: c, timeout: 1s }
      beforeStop: d
      afterStop: { exec: e, timeout: 2s }
  once: { run: x, oneshot: true }
  asked:
    run: x
    stop: { wait: 1s }
    heartbeat:
      - { http: http://localhost/, every: 5s, timeout: 2s, fails: 2 in a row }
      - { tcp: 80, every: 2s, timeout: 5s, fails: 3 of 5, then: notice }
      - { exec: a, every: "0 * * * *", fails: 2 }
      - { name: calendar, exec: a, every: "0 * * * *", fails: 1, then: stop }
      - { file: /a, age: "< 1m", every: 1m, fails: 1, then: { exec: b } }
  new: { run: x, ready: notify, watchdog: 30s, sockets: { a: { listen: 80, lazy: true } }, handover: { mode: overlap, drain: none } }
  hung: { run: x, stop: { wait: none }, ready: { port: 80, timeout: none }, heartbeat: { tcp: 80 } }
`;

function explained(name: string): ReturnType<typeof explain> {
  const loaded = loadText(TEXT, { want: 'settings' });
  const spec = loaded.type === 'ok' ? loaded.config.specs.find((one) => one.name === name) : undefined;
  if (loaded.type === 'bad' || spec === undefined) throw new Error('bad');
  return explain(name, spec, loaded.settings[name] ?? []);
}

describe('explain', () => {
  it('shows each effective value with who gave it', () => {
    const { settings } = explained('web');
    const origins = new Map(settings.map(({ key, value, origin }) => [key, `${value} by ${origin}`]));
    expect(origins.get('run.exec')).toBe('[node, a b] by /u.yaml:6');
    expect(origins.get('env.TZ')).toBe('UTC by defaults (/u.yaml:2)');
    expect(origins.get('env.A')).toBe('1 by /u.yaml:6');
    expect(origins.get('restart.delay')).toBe('5s by template slow (/u.yaml:4)');
    expect(origins.get('restart.backoff.max')).toBe('30s by default');
    expect(origins.get('umask')).toBe('022 by default');
    expect(origins.has('settle')).toBe(false);
    expect(settings.find(({ key }) => key === 'restart.delay')).toEqual({
      key: 'restart.delay',
      value: '5s',
      layer: 'template',
      template: 'slow',
      file: '/u.yaml',
      line: 4,
      column: 29,
      origin: 'template slow (/u.yaml:4)',
    });
  });

  it('adds up the time that each step may take', () => {
    expect(explained('web').budget.map(({ step, ms }) => [step, ms])).toEqual([
      ['notice', 0],
      ['first-delay', 5000],
      ['longest-delay', 33_000],
      ['ready', 10_000],
      ['stop', 30_000],
      ['worst-restart', 43_000],
    ]);
    expect(explained('ssh').budget.map(({ step, ms }) => [step, ms])).toEqual([
      ['notice', 0],
      ['settle', 2000],
      ['first-delay', 100],
      ['longest-delay', 33_000],
      ['start', 90_000],
      ['ready', 30_000],
      ['stop', 10_000],
      ['worst-restart', 155_000],
    ]);
    expect(explained('idle').budget.map(({ step, ms }) => [step, ms])).toEqual([
      ['notice', 0],
      ['ready', 30_000],
      ['stop', null],
    ]);
  });

  it('counts the deadlines of hooks, and how long what it needs may be away', () => {
    expect(explained('app').budget.map(({ step, ms, text }) => [step, ms, text])).toEqual([
      ['notice', 0, 'a death is noticed at once, by an event'],
      ['grace', 5000, '5s may web be away before it is stopped'],
      ['grace', 0, 'it is stopped at once when ssh ends'],
      ['first-delay', 100, '100ms from start to start at first: what has lived longer comes back at once'],
      ['longest-delay', 33_000, '33s between starts at most, while it keeps failing'],
      ['before-start', 190_000, '3m10s at most for its condition and the hooks before a start'],
      ['ready', 30_000, '30s at most until a start must count'],
      ['after-start', 1000, '1s at most for the hooks after a start'],
      ['before-stop', 90_000, '1m30s at most for the hooks before a stop'],
      ['stop', 10_000, '10s at most to stop by its ladder or command'],
      ['after-stop', 2000, '2s at most for the hooks after a stop'],
      ['worst-restart', 256_000, '4m16s at most from a death until it is up or has failed once more'],
    ]);
    expect(explained('once').budget.find(({ step }) => step === 'ready')?.text).toBe('no limit for its work');
  });

  it('says how soon a hang is found out, and it runs again: within 15 s for a question every 5 s', () => {
    const hangs = (name: string): readonly (readonly [number | null, string])[] =>
      explained(name).budget.flatMap(({ step, ms, text }) => (step === 'hang' ? [[ms, text]] : []));
    expect(hangs('asked')).toEqual([
      [14_000, 'a hang is noticed within 12s by heartbeat http, and it runs again within 14s'],
      [19_000, 'a hang is noticed within 19s by heartbeat tcp, and somebody is told'],
      [
        null,
        'a hang is noticed by heartbeat exec with the next 2 questions of the calendar (0 * * * *), and it runs again then',
      ],
      [
        null,
        'a hang is noticed by heartbeat calendar with the next question of the calendar (0 * * * *), and it is stopped then',
      ],
      [65_000, 'what is wrong is noticed within 1m5s by heartbeat file, and its command is run'],
    ]);
    expect(hangs('hung')).toEqual([
      [null, 'a hang is noticed within 1m35s by heartbeat tcp, and it runs again, but nothing limits when'],
    ]);
    expect(hangs('web')).toEqual([]);
  });

  it('says what the old generation is given beside the new one, and how soon silence is noticed', () => {
    const steps = (name: string): readonly unknown[] =>
      explained(name)
        .budget.filter(({ step }) => ['transfer', 'drain', 'watchdog'].includes(step))
        .map(({ step, ms, text }) => [step, ms, text]);
    expect(steps('new')).toEqual([
      ['transfer', 10_000, '10s at most for the state to go over to a new generation'],
      ['drain', null, 'no limit for an old generation to finish what it has begun'],
      ['watchdog', 30_000, 'a hang is noticed within 30s by the watchdog, and it is ended with SIGABRT'],
    ]);
    expect(steps('web')).toEqual([]);
    const settings = new Map(explained('new').settings.map(({ key, value, origin }) => [key, `${value} by ${origin}`]));
    expect(settings.get('sockets.a.listen')).toBe('80 by /u.yaml:28');
    expect(settings.get('ready.notify')).toBe('true by /u.yaml:28');
    expect(settings.get('handover.maxDraining')).toBe('1 by default');
    expect(settings.has('sockets.a.mode')).toBe(false);
    expect(settings.get('notify')).toBe('main by default');
  });

  it('shows the heartbeats of a list one setting a line', () => {
    const settings = new Map(explained('asked').settings.map(({ key, value }) => [key, value]));
    expect(settings.get('heartbeat.1.http')).toBe('http://localhost/');
    expect(settings.get('heartbeat.2.fails')).toBe('3 of 5');
    expect(settings.get('heartbeat.5.then.exec.exec')).toBe('[b]');
  });

  it('is lines for people', () => {
    const lines = explanationLines(explained('ssh'));
    expect(lines[0]).toBe('ssh (watched)');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}settle +2s +\/u\.yaml:7$/));
    expect(lines).toContain('  1m30s at most for the start command');
    expect(lines.at(-1)).toBe('  2m35s at most from a death until it is up or has failed once more');
  });
});
