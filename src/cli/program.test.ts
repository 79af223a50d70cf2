import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { openKeeper, runCommand } from '../../test/support/command-line.js';
import { type FakeKeeper, running } from '../../test/support/fake-keeper.js';
import { fakePorts, fakeTerminal } from '../../test/support/fake-terminal.js';
import { commands } from './commands.js';
import { parse } from './parser.js';
import { runCli } from './program.js';
import { verbs } from './verbs.js';

const run = (argv: readonly string[], keeper: FakeKeeper | null = null) => runCommand(argv, keeper);

describe('wrong usage', () => {
  it.each([
    [['stauts'], 'there is no command stauts; did you mean status'],
    [['stat'], 'there is no command stat; did you mean status'],
    [['xyzzy'], 'there is no command xyzzy; `upkeep help` lists them'],
    [['status', '--jsno'], "unknown option '--jsno', did you mean --json; see `upkeep status --help`"],
    [['stop', 'web', '--for'], "option '--for <D>' argument missing; see `upkeep stop --help`"],
    [['explain'], "missing required argument 'NAME'; see `upkeep explain --help`"],
    [['--json', 'status'], 'unknown option --json; write the command first: `upkeep COMMAND --json`'],
    [['status', '--system', '--user'], '--system and --user contradict each other; give one of them'],
    [['fds'], "missing required argument 'NAME'; see `upkeep fds --help`"],
    [['completion', 'tcsh'], 'there is no completion for tcsh; there is for bash, zsh and fish'],
  ])('%j ends with 2 and one sentence', async (argv, sentence) => {
    const { code, terminal } = await run(argv);
    expect([code, terminal.printed(), terminal.complained()]).toEqual([2, '', `upkeep: ${sentence}\n`]);
  });
});

describe('help', () => {
  it('lists every command but the hidden one', async () => {
    const { code, terminal } = await run(['--help']);
    expect(code).toBe(0);
    for (const { name, group } of commands)
      expect(new RegExp(`^  ${name} `, 'm').test(terminal.printed())).toBe(group !== 'hidden');
  });

  it('is there for every command, with each of its options', async () => {
    for (const command of commands.filter(({ group }) => group !== 'hidden')) {
      const { code, terminal } = await run([command.name, '--help']);
      expect(code).toBe(0);
      const told = command.options.filter(({ summary }) => summary !== '');
      for (const { flags } of told) expect(terminal.printed()).toContain(flags);
    }
  });

  it('explains a key of the configuration, and a word that is both a command and a key', async () => {
    expect((await run(['help', 'restart.limit'])).terminal.printed()).toMatch(/^restart\.limit \(service\)/);
    const { terminal: narrow } = await runCommand('help heartbeat', null, { columns: 60 });
    for (const line of narrow.printed().split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect((await run(['help', 'reload'])).terminal.printed()).toMatch(
      /^Usage: upkeep reload[\s\S]*In the configuration:\n\nreload \(service/,
    );
    const { code, terminal } = await run(['help', 'restart.limt']);
    expect(code).toBe(2);
    expect(terminal.complained()).toMatch(/did you mean restart\.limit/);
  });
});

describe('the table of commands', () => {
  it('names every verb of it in a file that is there', async () => {
    expect(Object.keys(verbs).toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
    for (const load of Object.values(verbs)) expect(await load()).toBeTypeOf('function');
  });

  it('gives each option a name of its own', () => {
    for (const command of commands) {
      const flags = command.options.flatMap((option) => option.flags.match(/--[a-z-]+/g) ?? []);
      expect(new Set(flags).size).toBe(flags.length);
    }
  });

  it('is read by the parser', () => {
    for (const command of commands) expect(parse(command, ['--help']).type).toBe('help');
  });
});

describe('version', () => {
  it('is printed', async () => {
    expect((await run(['--version'])).terminal.printed()).toBe('upkeep 1.2.3\n');
  });
});

describe('which keeper', () => {
  it("is one's own if its socket answers, else the system's, and the first line names it", async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), running(1));
    const { code, terminal } = await run(['--system', 'status'], keeper);
    expect(code).toBe(0);
    expect(terminal.printed()).toMatch(/^web1: 1 running; the keeper in /);
  });

  it('is asked for in both places when neither is said, and both are named when nobody answers', async () => {
    const terminal = fakeTerminal({ uid: 1000, env: { HOME: '/nonexistent' } });
    const code = await runCli(['status', '--user'], fakePorts(terminal));
    expect(code).toBe(4);
    expect(terminal.complained()).toBe(
      'upkeep: no keeper answers: not your own at /nonexistent/.local/state/upkeep/run/control.sock (there is no such socket); start one with `upkeep run`\n',
    );
  });
});

describe('completion', () => {
  async function offers(words: readonly string[]): Promise<readonly string[]> {
    const keeper = await openKeeper();
    for (const name of ['web', 'worker', 'db']) keeper.put(supervised({ name }), running(1));
    const { code, terminal } = await run(['__complete', ...words], keeper);
    expect(code).toBe(0);
    return terminal
      .printed()
      .split('\n')
      .filter((line) => line !== '');
  }

  it('offers commands, services that were not named yet, options and their values', async () => {
    expect(await offers(['sta'])).toEqual(['status', 'start']);
    expect(await offers(['restart', 'w'])).toEqual(['web', 'worker']);
    expect(await offers(['restart', 'web', 'w'])).toEqual(['worker']);
    expect(await offers(['wait', '--f'])).toEqual(['--for']);
    expect(await offers(['wait', '--for', ''])).toEqual(['ready', 'healthy', 'stopped']);
    expect(await offers(['wait', '--for', 'ready', 'd'])).toEqual(['db']);
    expect(await offers(['signal', 'web', 'SIGU'])).toEqual(['SIGUSR1', 'SIGUSR2']);
    expect(await offers(['check', ''])).toEqual([':file']);
  });

  it('is quiet without a keeper', async () => {
    const { code, terminal } = await run(['__complete', 'restart', '']);
    expect([code, terminal.printed(), terminal.complained()]).toEqual([0, '', '']);
  });

  it('is a script that bash understands, and that offers what the program says', async () => {
    const { terminal } = await run(['completion', 'bash']);
    const script = `${terminal.printed()}
upkeep() { [ "$1 $2" = '__complete restart' ] && printf '%s\\n' web@1 web@2 worker | grep "^$3"; }
COMP_WORDBREAKS='@'
for typed in w wo web@ ''; do
  COMP_LINE="upkeep restart $typed"; COMP_POINT=\${#COMP_LINE}; _upkeep; echo "\${COMPREPLY[@]}"
done`;
    const said = execFileSync('bash', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    // Readline begins the word at the @ where there is one.
    expect(said).toBe('web@1 web@2 worker\nworker\n@1 @2\nweb@1 web@2 worker\n');
  });

  it.each(['zsh', 'fish'])('is a script that %s reads without complaint, where it is installed', async (shell) => {
    const { code, terminal } = await run(['completion', shell]);
    expect(code).toBe(0);
    const { error, status } = spawnSync(shell, ['-n'], { input: terminal.printed() });
    if (error === undefined) expect(status).toBe(0);
  });
});
