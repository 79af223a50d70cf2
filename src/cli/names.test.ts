import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { members, supervised } from '../../test/support/builders.js';
import { openKeeper, runCommand } from '../../test/support/command-line.js';
import { type FakeKeeper, running, starting } from '../../test/support/fake-keeper.js';
import type { Question } from '../core/history.js';
import { poolOf, select } from './names.js';

process.env.TZ = 'UTC';

const services = ['db', 'web@1', 'web@2', 'web@10', 'webmail'].map((name) => ({ name, tags: [] }));

const meant = (...words: readonly string[]): readonly string[] => {
  const selection = select(words, services);
  return selection.type === 'some' ? selection.services.map(({ name }) => name) : [];
};

describe('a NAME', () => {
  it('is that of a service, or of a pool for all of its members', () => {
    expect(meant('db')).toEqual(['db']);
    expect(meant('web')).toEqual(['web@1', 'web@2', 'web@10']);
    expect(meant('web@2')).toEqual(['web@2']);
  });

  it('means a service once, however often it is named', () => {
    expect(meant('web', 'web@1', 'web@*')).toEqual(['web@1', 'web@2', 'web@10']);
  });

  it('that is nearly the one of a pool is told so', () => {
    expect(select(['wbe'], services)).toEqual({ type: 'unknown', names: [{ name: 'wbe', near: 'web' }] });
    expect(select(['web@7'], services)).toMatchObject({ type: 'unknown', names: [{ name: 'web@7' }] });
  });

  it('with a number behind an @ is that of a member', () => {
    expect(['web@1', 'web.de@12', 'web', '@web', 'web@'].map(poolOf)).toEqual(['web', 'web.de', null, null, null]);
  });
});

describe('the plain name of a pool', () => {
  const asked: Question[] = [];
  let keeper: FakeKeeper;

  beforeEach(async () => {
    asked.length = 0;
    keeper = await openKeeper({
      history: (question) => {
        asked.push(question);
        return Promise.resolve({ type: 'found', entries: [], last: null });
      },
    });
    for (const [index, spec] of members('web', 3).entries()) keeper.put(spec, running(800 + index));
    keeper.put(supervised({ name: 'db' }), running(700));
  });

  it('shows the table of its members, and one of them its card', async () => {
    const pool = await runCommand('status web', keeper);
    expect(pool.terminal.printed()).toMatch(/web@1 .*\n.*web@2 .*\n.*web@3 /);
    expect(pool.terminal.printed()).not.toMatch(/\bdb\b/);
    const one = await runCommand('status web@2', keeper);
    expect(one.terminal.printed()).toMatch(/^web@2 +running\n(.*\n)* +process +801,/);
  });

  it('is waited for until all are ready', async () => {
    keeper.put(members('web', 3)[1] ?? supervised(), starting());
    const { code, terminal } = await runCommand('wait web --timeout 100ms', keeper);
    expect(code).toBe(5);
    expect(terminal.complained()).toMatch(/^upkeep: web@2 is not ready/);
  });

  it('asks why each is as it is', async () => {
    const { terminal } = await runCommand('why web --json', keeper);
    const document: { readonly services: readonly { readonly service: { readonly name: string } }[] } = JSON.parse(
      terminal.printed(),
    );
    expect(document.services.map(({ service }) => service.name)).toEqual(['web@1', 'web@2', 'web@3']);
  });

  it('asks the history also for members that there are no more', async () => {
    await runCommand('history web', keeper);
    expect(asked.at(-1)?.services).toEqual(['web', 'web@*']);
  });

  it('is offered to a shell beside those of its members', async () => {
    const { terminal } = await runCommand('__complete restart w', keeper);
    expect(terminal.printed()).toBe('web@1\nweb@2\nweb@3\nweb\n');
  });

  it('finds the logs of its members where no keeper answers', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'upkeep-names-'));
    for (const name of ['web@1', 'web@2', 'db']) writeFileSync(join(directory, `${name}.log`), `of ${name}\n`);
    keeper.close();
    const seen: string[] = [];
    await runCommand('logs web', keeper, {
      env: { UPKEEP_LOG_DIR: directory },
      ports: {
        logs: async () => ({
          read: async function* (sources) {
            seen.push(...sources.map(({ path }) => path));
            yield* [];
          },
          forTerminal: String,
          pathOf: (logs, service) => join(logs, `${service}.log`),
        }),
      },
    });
    expect(seen.sort()).toEqual(['web@1', 'web@2'].map((name) => join(directory, `${name}.log`)));
    rmSync(directory, { recursive: true });
  });
});
