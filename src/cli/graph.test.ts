import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { openKeeper, runCommand } from '../../test/support/command-line.js';
import { backoff, type FakeKeeper, running, stopped } from '../../test/support/fake-keeper.js';
import { graphOfSpecs } from '../core/graph-view.js';
import { instant, millis } from '../core/time.js';
import { dotLines } from './graph-dot.js';

const turn = { name: 'waiting', since: instant(0), for: 'turn', why: 'requested', deadline: null } as const;

async function shop(): Promise<FakeKeeper> {
  const keeper = await openKeeper();
  keeper.put(supervised({ name: 'disk' }), { name: 'done', since: instant(0) });
  keeper.put(supervised({ name: 'db', needs: ['disk'] }), backoff(8000));
  keeper.put(supervised({ name: 'web', needs: ['db'], wants: ['cache'], after: ['log'] }), turn);
  keeper.put(supervised({ name: 'api', needs: ['db'] }), turn);
  keeper.put(supervised({ name: 'log' }), running(4));
  keeper.put(supervised({ name: 'witness', needs: ['agent'] }), running(5));
  keeper.put(supervised({ name: 'agent', restartWith: ['witness'] }), running(6));
  return keeper;
}

describe('graph', () => {
  it('draws trees on a terminal: roots are what nobody needs, and what is shared stands once', async () => {
    const { code, terminal } = await runCommand('graph', await shop(), { columns: 100 });
    expect(code).toBe(0);
    expect(terminal.printed().split('\n')).toEqual([
      'web  waiting',
      '├── needs db  backoff: next try in 8.0 s',
      '│   └── needs disk  done',
      '├╌╌ wants cache  not on this host',
      '└╌╌ after log  running',
      'api  waiting',
      '└── needs db  (above)',
      'witness  running',
      '└── needs agent  running',
      '    └╌╌ restarts with witness  (above)',
      '',
    ]);
  });

  it('draws no lines where there is no terminal, and fits one that is narrow', async () => {
    const keeper = await shop();
    const piped = await runCommand('graph api', keeper);
    expect(piped.terminal.printed()).toBe(
      'api  waiting\n  needs db  backoff: next try in 8.0 s\n    needs disk  done\n',
    );
    const narrow = await runCommand('graph', keeper, { columns: 40 });
    expect(
      narrow.terminal
        .printed()
        .split('\n')
        .every((line) => line.length <= 40),
    ).toBe(true);
  });

  it('colours nothing without a terminal, and the states on one', async () => {
    const keeper = await shop();
    const { terminal } = await runCommand('graph log', keeper, { columns: 80, colours: 'yes' });
    expect(terminal.printed()).toContain('\u001b[1mlog\u001b[22m');
    expect((await runCommand('graph', keeper)).terminal.printed()).not.toContain('\u001b');
  });

  it('shows of NAMEs what they build on and what builds on them', async () => {
    const { terminal } = await runCommand('graph db', await shop());
    expect(terminal.printed()).toMatch(
      /^web .*\n {2}needs db .*\n {4}needs disk .*\n {2}wants cache {2}not on this host\napi .*\n {2}needs db {2}\(above\)\n$/,
    );
  });

  it('prints JSON with a version, for everybody (monitors 39)', async () => {
    const { terminal } = await runCommand('graph agent --json', await shop());
    expect(JSON.parse(terminal.printed())).toMatchObject({
      version: 1,
      host: 'web1',
      services: [
        { name: 'witness', state: 'running', needs: [{ service: 'agent', grace: 0, onReload: 'nothing' }], after: [] },
        { name: 'agent', kind: 'supervised', desired: 'up', restartWith: ['witness'], pool: null },
      ],
    });
  });

  it('goes round a ring that nobody else names', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'a', restartWith: ['b'] }), running(1));
    keeper.put(supervised({ name: 'b', restartWith: ['a'] }), running(2));
    keeper.put(supervised({ name: 'c' }), running(3));
    keeper.put(supervised({ name: 'after', restartWith: ['c'] }), running(4));
    const { terminal } = await runCommand('graph', keeper);
    expect(terminal.printed()).toBe(
      'c  running\na  running\n  restarts with b  running\n    restarts with a  (above)\nafter  running\n  restarts with c  running\n',
    );
  });

  it('says 4 where no keeper answers, and shows a file all the same', async () => {
    expect((await runCommand('graph', null)).code).toBe(4);
    // Not below /tmp: what anybody may write, root does not believe.
    const directory = mkdtempSync(join(homedir(), '.upkeep-test-'));
    try {
      const file = join(directory, 'upkeep.yaml');
      writeFileSync(file, 'services:\n  web: { run: a, needs: [db] }\n  db: { run: b, desired: down }\n');
      const { code, terminal } = await runCommand(['graph', '--config', file], null, { uid: process.getuid?.() ?? 0 });
      expect([code, terminal.printed()]).toEqual([0, 'web  supervised\n  needs db  supervised, not wanted up\n']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    ['graph nobody', 'there is no service nobody'],
    ['graph --dot --json', '--dot and --json are two forms; give one'],
  ])('says 2 for wrong usage: %s', async (command, sentence) => {
    const { code, terminal } = await runCommand(command, await shop());
    expect([code, terminal.complained()]).toEqual([2, `upkeep: ${sentence}\n`]);
  });
});

describe('graph --dot', () => {
  it('tells needs, wants, after and restartWith apart', async () => {
    const keeper = await openKeeper();
    keeper.put(
      supervised({
        name: 'web',
        needs: [{ service: 'db', grace: millis(5) }],
        wants: ['c'],
        after: ['l'],
        restartWith: ['r'],
      }),
      running(1),
    );
    keeper.put(supervised({ name: 'db', desired: 'down' }), stopped());
    const { terminal } = await runCommand('graph --dot', keeper);
    expect(terminal.printed().split('\n')).toEqual([
      'digraph upkeep {',
      '  rankdir=LR;',
      '  node [shape=box, style=rounded];',
      '  "web" [label="web\\nrunning", color=darkgreen];',
      '  "db" [label="db\\nstopped", color=gray];',
      '  "web" -> "db";',
      '  "web" -> "c" [style=dashed, label="wants"];',
      '  "web" -> "l" [style=dotted, label="after"];',
      '  "web" -> "r" [style=dashed, color=blue, label="restarts with", constraint=false];',
      '}',
      '',
    ]);
  });

  it('escapes what a name may never hold', () => {
    const lines = dotLines(graphOfSpecs([supervised({ name: 'a"\\b' })]));
    expect(lines[3]).toBe('  "a\\"\\\\b" [label="a\\"\\\\b"];');
  });
});
