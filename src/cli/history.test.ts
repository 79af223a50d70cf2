import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { begin, openKeeper, runCommand, type TypeOptions } from '../../test/support/command-line.js';
import { alice, keeperEntry, killed, serviceEntry } from '../../test/support/entries.js';
import { type FakeKeeper, type FakeOptions, running } from '../../test/support/fake-keeper.js';
import type { Entry } from '../core/entry.js';
import type { Answer } from '../core/history.js';
import { History } from '../history/history.js';
import { defaultBounds } from '../history/prune.js';
import { findSqlite } from '../history/sqlite.js';

process.env.TZ = 'UTC';

let directory: string;
let kept: History;
let questions: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-cli-history-'));
  questions = 0;
  const path = join(directory, 'history.db');
  kept = new History({ path, sqlite: findSqlite(), bounds: defaultBounds, now: Date.now, say: () => {} });
});
afterEach(() => {
  kept.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A keeper of two services, with this history. */
async function open(options: FakeOptions = {}): Promise<FakeKeeper> {
  const history: FakeOptions['history'] = (question) => {
    questions += 1;
    return Promise.resolve(kept.ask(question));
  };
  const keeper = await openKeeper({ history, ...options });
  keeper.put(supervised({ name: 'web' }), running(1));
  keeper.put(supervised({ name: 'worker' }), running(2));
  return keeper;
}

async function run(command: string, keeper: FakeKeeper | null, options: TypeOptions = {}) {
  const { code, terminal } = await runCommand(command, keeper, options);
  return { code, out: terminal.printed(), err: terminal.complained() };
}

/** A machine that is busy takes its time. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 30_000, interval: 20 });

const died = serviceEntry(1, {
  what: killed(),
  level: 'warning',
  line: 'web is not running, restarting: killed by SIGKILL from bash (pid 4711, alice)',
  incident: 'mi8x',
  output: ['panic'],
});
const small = serviceEntry(2, { level: 'debug', line: 'launched as pid 813' });
const asked = serviceEntry(3, {
  service: 'worker',
  level: 'notice',
  what: { type: 'asked', verb: 'stop', by: alice, reason: 'a new disk' },
  line: 'stop by alice: a new disk',
});
const applied = keeperEntry(4, { type: 'applied', config: '/etc/upkeep/upkeep.yaml', by: alice });
const some: readonly Entry[] = [died, small, asked, applied];

const LINES = {
  died: '2026-11-20 10:00:01  web     web is not running, restarting: killed by SIGKILL from bash (pid 4711, alice) [mi8x]\n',
  small: '2026-11-20 10:00:02  web     launched as pid 813\n',
  asked: '2026-11-20 10:00:03  worker  stop by alice: a new disk\n',
  applied: '2026-11-20 10:00:04  -       /etc/upkeep/upkeep.yaml was applied by alice\n',
};

describe('history', () => {
  it('shows what happened and who asked for it, without the small steps', async () => {
    const keeper = await open();
    kept.append(some);
    expect(await run('history', keeper)).toEqual({ code: 0, out: LINES.died + LINES.asked + LINES.applied, err: '' });
    expect((await run('history --all', keeper)).out).toBe(LINES.died + LINES.small + LINES.asked + LINES.applied);
    expect((await run('history -n 1', keeper)).out).toMatch(/^\S+ \S+ {2}- {2}\S+ was applied by alice\n$/);
    expect((await run('history -n 0', keeper)).out).toBe('');
  });

  it('takes names, globs, tags, an incident, a person and a time', async () => {
    const keeper = await open();
    keeper.put(supervised({ name: 'db' }), running(3));
    kept.append(some);
    expect((await run('history wo*', keeper)).out).toBe(LINES.asked);
    expect((await run('history web worker', keeper)).out).toBe(LINES.died + LINES.asked);
    expect((await run('history --by alice worker', keeper)).out).toBe(LINES.asked);
    expect((await run('history --incident mi8x worker web', keeper)).out).toMatch(/^\S+ \S+ {2}web {2}web is not/);
    expect((await run('history --since 2026-11-20T10:00:03Z worker web', keeper)).out).toBe(LINES.asked);
    expect(await run('history db', keeper)).toEqual({ code: 0, out: '', err: '' });
  });

  it('knows services that are no more, and says so of those that never were', async () => {
    const keeper = await open();
    kept.append([serviceEntry(1, { service: 'gone', line: 'gone is no longer configured' })]);
    expect((await run('history gone', keeper)).out).toMatch(/gone is no longer configured/);
    expect((await run('history go*', keeper)).code).toBe(0);
    expect(await run('history wbe', keeper)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/there is no service wbe; did you mean web/),
    });
    expect((await run('history @none', keeper)).code).toBe(2);
    expect((await run('history --lines many', keeper)).code).toBe(2);
  });

  it('prints one document with --json, with details for those alone who may see them', async () => {
    kept.append(some);
    const document: { version: number; entries: { details: unknown }[] } = JSON.parse(
      (await run('history web --json', await open())).out,
    );
    expect(document).toMatchObject({ version: 1, entries: [{ id: 'aaaa.1', details: { output: ['panic'] } }] });
    const stranger = await run('history web --json', await open({ uid: 1000 }));
    expect(JSON.parse(stranger.out)).toMatchObject({ entries: [{ id: 'aaaa.1', details: null }] });
  });

  it('reads as far back as it is asked to, page by page', async () => {
    const keeper = await open();
    kept.append(Array.from({ length: 2500 }, (_, index) => serviceEntry(index)));
    expect((await run('history -n all', keeper)).out.match(/\n/g)).toHaveLength(2500);
    const { out } = await run('history -n 1200 --json', keeper);
    const { entries }: { entries: { id: string }[] } = JSON.parse(out);
    expect(entries.map(({ id }) => id)).toEqual(Array.from({ length: 1200 }, (_, index) => `aaaa.${1300 + index}`));
  });

  it('fits a terminal, and shows nothing that a terminal would obey', async () => {
    const keeper = await open();
    kept.append([died, serviceEntry(5, { line: 'bad\u001b[31m\r\nline\u202e' })]);
    const { out } = await run('history', keeper, { columns: 60 });
    expect(out).toBe(
      [
        '2026-11-20 10:00:01  web  web is not running, restarting:',
        '                          killed by SIGKILL from bash (pid',
        '                          4711, alice) [mi8x]',
        '2026-11-20 10:00:05  web  bad [31m line ',
        '',
      ].join('\n'),
    );
  });

  it('colours what went wrong where colours are wanted', async () => {
    const keeper = await open();
    kept.append([died]);
    const env = { UPKEEP_RUNTIME_DIR: keeper.directory };
    const { out } = await run('history', keeper, { columns: 200, colours: 'yes', env });
    expect(out).toContain('\u001b[2m2026-11-20 10:00:01\u001b[22m  web  \u001b[33mweb is not');
  });

  it('says that the keeper is asked where none answers, and why there is none to tell', async () => {
    const nobody = await run('history', null);
    expect(nobody).toMatchObject({ code: 4, err: expect.stringMatching(/; the history is asked from the keeper\n$/) });
    const none: Answer = { type: 'unavailable', problem: 'there is no history: this Node has no SQLite' };
    const keeper = await open({ history: () => Promise.resolve(none) });
    expect(await run('history', keeper)).toMatchObject({ code: 1, err: `upkeep: ${none.problem}\n` });
  });
});

describe('history --follow', () => {
  it('goes on with what happens, over the end of a keeper too, without a loss and nothing twice', async () => {
    const keeper = await open();
    kept.append(some);
    const { terminal, ended } = begin('history -f -n 1', keeper);
    await soon(() => terminal.printed()).toMatch(/applied by alice\n$/);
    kept.append([serviceEntry(5, { line: 'five' }), serviceEntry(6, { level: 'debug', line: 'six' })]);
    keeper.recorded();
    await soon(() => terminal.printed()).toMatch(/five\n$/);
    keeper.hangUp();
    // What the next keeper finds untold is given once more.
    kept.append([serviceEntry(6, { level: 'debug', line: 'six' }), serviceEntry(7, { line: 'seven' })]);
    await soon(() => terminal.complained()).toBe('upkeep: the keeper went away; waiting for it to come back\n');
    await keeper.listen();
    await soon(() => terminal.printed()).toMatch(/seven\n$/);
    kept.append([serviceEntry(8, { origin: 'bbbb', line: 'eight' })]);
    keeper.recorded();
    await soon(() => terminal.printed()).toMatch(/eight\n$/);
    terminal.interrupt();
    expect(await ended).toBe(0);
    expect(terminal.printed().match(/(five|six|seven|eight|applied)/g)).toEqual(['applied', 'five', 'seven', 'eight']);
  });

  it('misses nothing where there was nothing yet, and prints an object a line with --json', async () => {
    const keeper = await open();
    const { terminal, ended } = begin('history web -f --json', keeper);
    const more = Array.from({ length: 450 }, (_, index) => serviceEntry(index));
    await soon(() => questions).toBe(2);
    // A storm, of more than one page.
    kept.append(more.slice(0, 430));
    keeper.recorded();
    kept.append([...more, serviceEntry(450, { service: 'worker' })]);
    keeper.recorded();
    await soon(() => terminal.printed().match(/\n/g)?.length).toBe(450);
    terminal.interrupt();
    expect(await ended).toBe(0);
    const ids = terminal
      .printed()
      .trimEnd()
      .split('\n')
      .map((line): string => JSON.parse(line).id);
    expect(ids).toEqual(more.map(({ number }) => `aaaa.${number}`));
  });

  it('ends quietly when its reader goes away', async () => {
    const keeper = await open();
    kept.append([died]);
    const { terminal, ended } = begin('history -f', keeper);
    await soon(() => terminal.printed()).not.toBe('');
    terminal.hangUp();
    expect(await ended).toBe(0);
    expect(terminal.complained()).toBe('');
  });
});
