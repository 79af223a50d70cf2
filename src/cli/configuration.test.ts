import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeeper } from '../../test/support/command-line.js';
import type { FakeOptions } from '../../test/support/fake-keeper.js';
import {
  type FakeTerminal,
  type FakeTerminalOptions,
  fakePorts,
  fakeTerminal,
} from '../../test/support/fake-terminal.js';
import { daemonsHere } from './daemons.js';
import type { CliPorts } from './ports.js';
import { runCli } from './program.js';

let directory: string;
let file: string;

beforeEach(() => {
  // Not below /tmp: what anybody may write, root does not believe.
  directory = mkdtempSync(join(homedir(), '.upkeep-test-'));
  file = join(directory, 'upkeep.yaml');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function run(
  argv: readonly string[],
  options: FakeTerminalOptions & { readonly ports?: Partial<CliPorts> } = {},
): Promise<{ readonly code: number; readonly terminal: FakeTerminal }> {
  const terminal = fakeTerminal({
    uid: process.getuid?.() ?? 0,
    cwd: directory,
    ...options,
    env: { UPKEEP_CONFIG: file, ...options.env },
  });
  return { code: await runCli(argv, fakePorts(terminal, options.ports)), terminal };
}

const GOOD = `classes: { web: ["web*"] }
services:
  ssh: { watch: /usr/sbin/sshd, start: service ssh restart }
  shop: { run: node shop.js, hosts: web }
`;

describe('check', () => {
  it('says that a file is right, and what is not for this host', async () => {
    writeFileSync(file, GOOD);
    const { code, terminal } = await run(['check', 'upkeep.yaml']);
    expect(code).toBe(0);
    expect(terminal.printed()).toBe(`${file} is right: 1 service, and 1 for other hosts (shop)\n`);
  });

  it('checks for another host', async () => {
    writeFileSync(file, GOOD);
    const { terminal } = await run(['check', '--as', 'web3', '--class', 'debian,web']);
    expect(terminal.printed()).toMatch(/is right: 2 services on web3\nclasses there: .*\bdebian\b.*\bweb\b/);
  });

  it('prints all mistakes with file, line and column, and ends with 1 (monitors 36)', async () => {
    writeFileSync(file, 'services:\n  web: { run: a, restrt: always }\n  db: { run: b, settle: 5 }\n');
    const { code, terminal } = await run(['check']);
    expect(code).toBe(1);
    expect(terminal.printed()).toBe('');
    const lines = terminal.complained().trimEnd().split('\n');
    expect(lines.slice(0, -1).every((line) => /^.*upkeep\.yaml:[23]:\d+: /.test(line))).toBe(true);
    expect(lines.some((line) => line.includes('did you mean restart'))).toBe(true);
    expect(lines.at(-1)).toBe(`upkeep: ${lines.length - 1} problems`);
  });

  it('prints JSON and nothing else with --json', async () => {
    writeFileSync(file, 'services: { web: { run: a, x: 1 } }\n');
    const { code, terminal } = await run(['check', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(terminal.printed())).toMatchObject({
      version: 1,
      ok: false,
      problems: [{ line: 1, key: 'services.web' }],
    });
    expect(terminal.complained()).toBe('');
  });

  it('refuses two files', async () => {
    expect((await run(['check', 'a.yaml', '--config', 'b.yaml'])).code).toBe(2);
  });
});

describe('explain', () => {
  it('shows where each value comes from, and the time budget', async () => {
    writeFileSync(file, GOOD);
    const { code, terminal } = await run(['explain', 'ssh']);
    expect(code).toBe(0);
    expect(terminal.printed()).toMatch(/^ssh \(watched\)\n.*upkeep\.yaml:3[\s\S]*Time budget\n/);
  });

  it('shows what the members of a pool have in common, or one of them', async () => {
    writeFileSync(file, 'services: { web: { run: serve 808%i, instances: 2 } }\n');
    expect((await run(['explain', 'web'])).terminal.printed()).toMatch(/^web \(supervised\)\n.*\[serve, 808%i\]/);
    expect((await run(['explain', 'web@2'])).terminal.printed()).toMatch(/^web@2 \(supervised\)\n.*\[serve, 8082\]/);
  });

  it('knows services of other hosts, and typos', async () => {
    writeFileSync(file, GOOD);
    expect((await run(['explain', 'shop'])).terminal.complained()).toMatch(/^upkeep: shop is not for this host: /);
    const { code, terminal } = await run(['explain', 'sssh']);
    expect([code, terminal.complained()]).toEqual([
      2,
      `upkeep: there is no service sssh in ${file}; did you mean ssh\n`,
    ]);
  });
});

describe('classes', () => {
  it('lists what is set, and what is declared and is not', async () => {
    writeFileSync(file, GOOD);
    const { terminal } = await run(['classes']);
    expect(terminal.printed()).toMatch(/^of the host: +any linux .*\nset here: +none\nnot set here: +web\n$/);
  });
});

describe('plan and apply', () => {
  const entries = [
    { name: 'web', action: 'restart', keys: ['run'], why: 'a new process is needed for run' },
    { name: 'db', action: 'live', keys: ['description'], why: 'takes effect at once' },
    { name: 'ssh', action: 'none', keys: [], why: 'unchanged' },
  ];
  const many = Array.from({ length: 6 }, (_, index) => ({
    name: `s${index}`,
    action: 'restart',
    keys: ['run'],
    why: 'new',
  }));

  async function open(govern: FakeOptions['govern']): Promise<Readonly<Record<string, string>>> {
    const { directory: runtime } = await openKeeper(govern === undefined ? {} : { govern });
    return { UPKEEP_RUNTIME_DIR: runtime };
  }

  it('tells service by service what would change (monitors 35)', async () => {
    const env = await open({ plan: () => ({ type: 'ok', entries, warnings: ['a.yaml:1: hm'] }) });
    const { code, terminal } = await run(['plan'], { env });
    expect(code).toBe(0);
    expect(terminal.printed()).toBe(
      [
        'NAME  ACTION       WHY',
        'web   restart      a new process is needed for run (changed: run)',
        'db    update live  takes effect at once (changed: description)',
        'no action: 1 service',
        '',
      ].join('\n'),
    );
    expect(terminal.complained()).toBe('upkeep: warning: a.yaml:1: hm\n');
  });

  it('names what changes beside the services', async () => {
    const env = await open({ plan: () => ({ type: 'ok', entries: [], also: ['notices'], warnings: [] }) });
    const { terminal } = await run(['plan'], { env });
    expect(terminal.printed()).toBe('no service changes\nchanges too: notices\n');
  });

  it('plans another file by its absolute path', async () => {
    let asked: unknown;
    const env = await open({
      plan: (body) => {
        asked = body;
        return { type: 'ok', entries: [], warnings: [] };
      },
    });
    expect((await run(['plan', 'b.yaml'], { env })).terminal.printed()).toBe('nothing changes\n');
    expect(asked).toEqual({ file: join(directory, 'b.yaml') });
  });

  it('prints what is wrong with a broken file, and ends with 1 (monitors 36)', async () => {
    const env = await open({ apply: () => ({ type: 'bad', problems: ['a.yaml:1:2: oh', 'a.yaml:3:4: no'] }) });
    const { code, terminal } = await run(['apply'], { env });
    expect(code).toBe(1);
    expect(terminal.complained()).toBe('a.yaml:1:2: oh\na.yaml:3:4: no\nupkeep: 2 problems; nothing was changed\n');
  });

  it.each([
    ['y', 0],
    ['no', 1],
  ])('asks on a terminal above five restarts: %s', async (answer, code) => {
    let applied = 0;
    const env = await open({
      plan: () => ({ type: 'ok', entries: many, warnings: [] }),
      apply: () => {
        applied += 1;
        return { type: 'ok', entries: many, warnings: [] };
      },
    });
    const result = await run(['apply'], { env, columns: 80, answer });
    expect([result.code, applied]).toEqual([code, code === 0 ? 1 : 0]);
    expect(result.terminal.questions).toEqual(['Restart 6 services? [y/N] ']);
  });

  it.each([
    { columns: 80, argv: ['apply', '--yes'] },
    { columns: null, argv: ['apply'] },
  ])('does not ask with --yes, nor where there is nobody to ask', async ({ columns, argv }) => {
    const answer = (): unknown => ({ type: 'ok', entries: many, warnings: [] });
    const env = await open({ plan: answer, apply: answer });
    const { code, terminal } = await run(argv, { env, columns, answer: 'n' });
    expect([code, terminal.questions]).toEqual([0, []]);
  });
});

describe('init', () => {
  it('writes a file that is right, and never over one that is there', async () => {
    const { code } = await run(['init', 'new.yaml']);
    expect(code).toBe(0);
    const text = readFileSync(join(directory, 'new.yaml'), 'utf8');
    expect((await run(['check', 'new.yaml'])).code).toBe(0);
    const again = await run(['init', 'new.yaml']);
    expect(again.code).toBe(1);
    expect(again.terminal.complained()).toMatch(/new\.yaml is there already/);
    expect(readFileSync(join(directory, 'new.yaml'), 'utf8')).toBe(text);
  });

  it('finds daemons by their init scripts', () => {
    const processes = join(directory, 'proc');
    const scripts = join(directory, 'init.d');
    const born = (pid: number, parent: number, exe: string): void => {
      mkdirSync(join(processes, String(pid)), { recursive: true });
      writeFileSync(join(processes, String(pid), 'stat'), `${pid} (a) b) S ${parent} 1 1 0`);
      symlinkSync(exe, join(processes, String(pid), 'exe'));
    };
    born(10, 1, '/usr/sbin/sshd');
    born(11, 10, '/usr/sbin/cron');
    born(12, 1, '/usr/bin/strange');
    mkdirSync(scripts);
    writeFileSync(join(scripts, 'ssh'), 'start-stop-daemon --exec /usr/sbin/sshd -- $SSHD_OPTS\n');
    writeFileSync(join(scripts, 'cron'), 'DAEMON="/usr/sbin/cron"\n');
    expect(daemonsHere({ processes, scripts })).toEqual([
      { name: 'ssh', exe: '/usr/sbin/sshd', start: 'service ssh restart' },
    ]);
  });
});

describe('match', () => {
  it('shows the one that would be watched, and why not the others', async () => {
    const match: CliPorts['match'] = async () => ({
      type: 'looked',
      report: {
        understood: 'executable /usr/sbin/sshd',
        main: { type: 'one', pid: 812 },
        processes: [
          {
            pid: 812,
            ppid: 1,
            user: 'root',
            command: '/usr/sbin/sshd -D',
            part: 'main',
            why: 'its executable is /usr/sbin/sshd',
          },
          {
            pid: 900,
            ppid: 1,
            user: 'alice',
            command: 'vim sshd_config',
            part: 'other',
            why: 'its executable is /usr/bin/vim',
          },
        ],
        unseen: null,
      },
    });
    const { code, terminal } = await run(['match', '/usr/sbin/sshd'], { ports: { match } });
    expect(code).toBe(0);
    expect(terminal.printed().split('\n')).toEqual([
      'executable /usr/sbin/sshd: would watch pid 812',
      '',
      '      PID  USER   COMMAND            WHY',
      'main  812  root   /usr/sbin/sshd -D  its executable is /usr/sbin/sshd',
      'no    900  alice  vim sshd_config    its executable is /usr/bin/vim',
      '',
    ]);
  });

  it('ends with 1 when nothing matches, and with 2 when it is no pattern', async () => {
    const report = { understood: 'name x', main: { type: 'none' }, processes: [], unseen: null } as const;
    expect((await run(['match', 'x'], { ports: { match: async () => ({ type: 'looked', report }) } })).code).toBe(1);
    expect((await run(['match', '('], { ports: { match: async () => ({ type: 'bad', problem: 'oh' }) } })).code).toBe(
      2,
    );
  });
});

describe('schema', () => {
  it('is a JSON Schema', async () => {
    const { terminal } = await run(['schema']);
    expect(JSON.parse(terminal.printed())).toMatchObject({ $schema: expect.stringContaining('json-schema.org') });
  });
});

describe('run', () => {
  it('hands the places and its options over', async () => {
    let given: unknown;
    const runKeeper: CliPorts['runKeeper'] = async (options) => {
      given = options;
      return 7;
    };
    const env = { UPKEEP_STATE_DIR: '/s', UPKEEP_RUNTIME_DIR: '/r', UPKEEP_LOG_DIR: '/l' };
    const { code } = await run(['run', '--leave', '--system', '--config', 'a.yaml'], { env, ports: { runKeeper } });
    expect(code).toBe(7);
    expect(given).toEqual({
      places: {
        whose: 'system',
        config: join(directory, 'a.yaml'),
        runtime: '/r',
        state: '/s',
        logs: '/l',
        socket: '/r/control.sock',
      },
      leave: 'yes',
      strict: 'no',
      exitWith: null,
      command: null,
    });
  });

  it('keeps one command after --, and asks for the -- where it is missing', async () => {
    let command: unknown;
    const runKeeper: CliPorts['runKeeper'] = async (options) => {
      command = options.command;
      return 0;
    };
    expect((await run(['run', '--', 'sleep', '--foo', '5'], { ports: { runKeeper } })).code).toBe(0);
    expect(command).toEqual(['sleep', '--foo', '5']);
    const { code, terminal } = await run(['run', 'sleep', '5'], { ports: { runKeeper } });
    expect(code).toBe(2);
    expect(terminal.complained()).toMatch(/write `upkeep run -- sleep 5`/);
    expect(existsSync(file)).toBe(false);
  });
});
