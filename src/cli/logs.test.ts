import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { supervised, watched } from '../../test/support/builders.js';
import { openKeeper, runCommand, type TypeOptions } from '../../test/support/command-line.js';
import { type FakeKeeper, NOW, running } from '../../test/support/fake-keeper.js';
import { fakePorts, fakeTerminal } from '../../test/support/fake-terminal.js';
import { sinceOf } from './logs.js';
import type { LogLine, LogOptions, LogReader, LogSource } from './ports.js';
import { runCli } from './program.js';

process.env.TZ = 'UTC';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-logs-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const line = (service: string, text: string | Buffer, more: Partial<LogLine> = {}): LogLine => ({
  service,
  bytes: Buffer.from(text),
  time: NOW,
  ends: 'newline',
  ...more,
});

interface Seen {
  sources: readonly LogSource[];
  options: LogOptions | null;
}

function readerOf(lines: readonly LogLine[], seen: Seen = { sources: [], options: null }): LogReader {
  return {
    read: async function* (sources, options) {
      Object.assign(seen, { sources, options });
      yield* lines;
    },
    forTerminal: (bytes) => `<${Buffer.from(bytes).toString()}>`,
    pathOf: (logs, service) => join(logs, `${service}.log`),
  };
}

const run = (command: string, reader: LogReader, keeper: FakeKeeper | null, options: TypeOptions = {}) =>
  runCommand(command, keeper, {
    ...options,
    env: { UPKEEP_LOG_DIR: directory, ...options.env },
    ports: { logs: async () => reader },
  });

const open = (detail: unknown = null): Promise<FakeKeeper> =>
  openKeeper({ facts: { paths: { logs: '/var/log/elsewhere' } }, detail: () => detail });

describe('logs', () => {
  it('shows times, names where there are several, and every byte in a pipe (monitors 38)', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'web' }), running(1));
    keeper.put(supervised({ name: 'worker' }), running(2));
    const bad = Buffer.from([0xff, 0xfe, 0x41]);
    const terminal = fakeTerminal({ env: { UPKEEP_RUNTIME_DIR: keeper.directory } });
    const chunks: Buffer[] = [];
    const out = {
      ...terminal.out,
      write: async (data: string | Uint8Array) => {
        chunks.push(Buffer.from(data));
        return 'open' as const;
      },
    };
    const reader = readerOf([line('web', 'one'), line('worker', bad), line('web', 'old', { time: null })]);
    expect(await runCli(['logs'], fakePorts({ ...terminal, out }, { logs: async () => reader }))).toBe(0);
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.concat([
        Buffer.from('2026-11-20 10:00:00  web     one\n2026-11-20 10:00:00  worker  '),
        bad,
        Buffer.from('\n-                    web     old\n'),
      ]),
    );
  });

  it('puts the pieces of one long line together again (monitors 38)', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'web' }), running(1));
    const reader = readerOf([
      line('web', 'aaa', { ends: 'more' }),
      line('web', 'bbb'),
      line('web', 'ccc', { ends: 'open' }),
    ]);
    const { terminal } = await run('logs web', reader, keeper);
    expect(terminal.printed()).toBe('2026-11-20 10:00:00  aaabbb\n2026-11-20 10:00:00  ccc\n');
  });

  it('shows nothing but the bytes with --raw', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'web' }), running(1));
    const { terminal } = await run(
      'logs web --raw',
      readerOf([line('web', 'one'), line('web', 'two', { ends: 'open' })]),
      keeper,
    );
    expect(terminal.printed()).toBe('one\ntwo');
  });

  it('prints an object for each line with --json', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'web' }), running(1));
    const { terminal } = await run(
      'logs web --json',
      readerOf([line('web', 'one'), line('web', '\u0007', { time: null })]),
      keeper,
    );
    expect(terminal.printed()).toBe(
      '{"time":"2026-11-20T10:00:00.000Z","service":"web","text":"one","ends":"newline"}\n{"time":null,"service":"web","text":"\\u0007","ends":"newline"}\n',
    );
  });

  it('makes lines safe for a terminal', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'web' }), running(1));
    const { terminal } = await run('logs web', readerOf([line('web', 'one')]), keeper, {
      columns: 80,
      env: { UPKEEP_RUNTIME_DIR: keeper.directory },
    });
    expect(terminal.printed()).toBe('2026-11-20 10:00:00  <one>\n');
  });

  it('ends quietly when its reader goes away (monitors 38)', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'web' }), running(1));
    const terminal = fakeTerminal({ env: { UPKEEP_RUNTIME_DIR: keeper.directory } });
    const reader: LogReader = {
      ...readerOf([]),
      read: async function* (_sources, { signal }) {
        yield line('web', 'one');
        terminal.hangUp();
        while (!signal.aborted) yield line('web', 'more');
      },
    };
    expect(await runCli(['logs', '-f'], fakePorts(terminal, { logs: async () => reader }))).toBe(0);
    expect([terminal.printed(), terminal.complained()]).toEqual(['2026-11-20 10:00:00  one\n', '']);
  });

  it('reads where the keeper that answers has its logs, and what a watched daemon writes itself', async () => {
    const keeper = await open({ spec: { kind: { logFrom: '/var/log/sshd.log' } } });
    keeper.put(watched({ name: 'ssh' }), running(1));
    const seen: Seen = { sources: [], options: null };
    await run('logs ssh -n 7', readerOf([], seen), keeper);
    expect(seen.sources).toEqual([
      { service: 'ssh', path: '/var/log/elsewhere/ssh.log', kind: 'own' },
      { service: 'ssh', path: '/var/log/sshd.log', kind: 'foreign' },
    ]);
    expect(seen.options).toMatchObject({ lines: 7, since: null, follow: 'no' });
  });

  it('finds logs on disk when no keeper answers', async () => {
    writeFileSync(join(directory, 'web.log'), '');
    writeFileSync(join(directory, 'db.log'), '');
    writeFileSync(join(directory, 'db.log.1.gz'), '');
    const seen: Seen = { sources: [], options: null };
    expect((await run('logs w*', readerOf([], seen), null)).code).toBe(0);
    expect(seen.sources).toEqual([{ service: 'web', path: join(directory, 'web.log'), kind: 'own' }]);
    const { code, terminal } = await run('logs wbe', readerOf([], seen), null);
    expect(code).toBe(2);
    expect(terminal.complained()).toMatch(/there is no service wbe; did you mean web/);
  });

  it('says which log may not be read', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'web' }), running(1));
    const reader: LogReader = {
      ...readerOf([]),
      read: async function* () {
        yield* [];
        throw Object.assign(new Error('denied'), { code: 'EACCES', path: '/var/log/upkeep/web.log' });
      },
    };
    const { code, terminal } = await run('logs web', reader, keeper);
    expect(code).toBe(1);
    expect(terminal.complained()).toMatch(/^upkeep: \/var\/log\/upkeep\/web\.log may not be read by this user/);
  });

  it.each([
    ['2h', NOW - 7_200_000],
    ['2026-11-20', Date.parse('2026-11-20T00:00:00Z')],
    ['2026-11-20T09:30', Date.parse('2026-11-20T09:30:00Z')],
    ['2026-11-20T09:30:00Z', Date.parse('2026-11-20T09:30:00Z')],
    ['09:15', Date.parse('2026-11-20T09:15:00Z')],
  ])('understands --since %s', (text, at) => {
    expect(sinceOf({ verb: 'logs', words: [], options: { since: text } }, NOW)).toBe(at);
  });

  it.each(['--since yesterday', '--lines many'])('refuses %s with what would do', async (argv) => {
    const { code, terminal } = await run(`logs ${argv}`, readerOf([]), null);
    expect(code).toBe(2);
    expect(terminal.complained()).toMatch(/^upkeep: --(since|lines) \w+: /);
  });
});
