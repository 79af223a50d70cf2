// The promise that what is shown works: every example file, and every piece of YAML in the documents, is a
// configuration that this version accepts.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Disk, realDisk } from '../../src/config/disk.js';
import { hostNamed } from '../../src/config/host-facts.js';
import { type Loaded, loadConfig } from '../../src/config/load.js';
import { problemText } from '../../src/config/problem.js';
import { serviceKeys } from '../../src/config/service-keys.js';
import { topKeys } from '../../src/config/top-keys.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

// Whose the checkout is says nothing about the examples.
const trusted: Disk = {
  ...realDisk,
  look: (path) => {
    const look = realDisk.look(path);
    return look === null ? null : { ...look, uid: 0, mode: look.mode & ~0o022 };
  },
};

function load(path: string, disk = trusted, host = 'web1'): Loaded {
  return loadConfig({ path, facts: hostNamed(host, []), environment: {}, who: { uid: 0 } }, disk);
}

const filesUnder = (directory: string, ending: string): readonly string[] =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(ending) && statSync(join(directory, name)).isFile())
        .map((name) => join(directory, name))
        .toSorted()
    : [];

const problemsIn = (loaded: Loaded): readonly string[] =>
  loaded.type === 'bad' ? loaded.problems.map(problemText) : [];

const EXAMPLES = filesUnder(join(ROOT, 'examples'), '.yaml').map((path) => path.slice(ROOT.length));

describe('an example', () => {
  it('is there for each kind of use', () => expect(EXAMPLES.length).toBeGreaterThanOrEqual(8));

  it.each(EXAMPLES)('is a right configuration: %s', (name) => {
    const loaded = load(join(ROOT, name));
    expect(problemsIn(loaded)).toEqual([]);
    if (loaded.type === 'ok' && !name.includes('.d/')) expect(loaded.config.specs.length).toBeGreaterThan(0);
  });

  it('of the five lines gives each host its services', () => {
    const names = (host: string): readonly string[] => {
      const loaded = load(join(ROOT, 'examples/five-lines.yaml'), trusted, host);
      return loaded.type === 'ok' ? loaded.config.specs.map((spec) => spec.name) : problemsIn(loaded);
    };
    expect([names('web7'), names('ns1'), names('db')]).toEqual([
      ['ssh', 'ldap', 'bind', 'apache'],
      ['ssh', 'ldap', 'bind'],
      ['ssh'],
    ]);
  });

  it('of templates shows what merging does', () => {
    const loaded = load(join(ROOT, 'examples/templates.yaml'), trusted, 'shop1');
    const shop = loaded.type === 'ok' ? loaded.config.specs.find((spec) => spec.name === 'shop') : undefined;
    expect(shop?.settings.env).toEqual({ TZ: 'UTC', NODE_ENV: 'production', PORT: '8080' });
    expect(shop?.ready).toEqual({ probe: { type: 'port', host: 'localhost', port: 8080 }, timeout: 120_000 });
    const mailer = loaded.type === 'ok' ? loaded.config.specs.find((spec) => spec.name === 'mailer') : undefined;
    expect(mailer?.settings).toMatchObject({ user: null, env: { NODE_ENV: 'production' } });
  });
});

const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...filesUnder(join(ROOT, 'docs'), '.md'),
].map((name) => (name.startsWith('/') ? name : join(ROOT, name)));

/** The YAML blocks of a document, each with the line that it begins in. */
function blocksOf(path: string): readonly { readonly title: string; readonly text: string }[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map((match) => ({
    title: `${path.slice(ROOT.length)}:${text.slice(0, match.index).split('\n').length}`,
    text: match[1] ?? '',
  }));
}

/** A block may be a whole file, the settings of one service, or some services. */
function asFile(text: string): string {
  const keys = [...text.matchAll(/^([A-Za-z0-9_.-]+):/gm)].map((match) => match[1] ?? '');
  if (keys.every((key) => Object.hasOwn(topKeys, key))) return text;
  const indented = (by: string): string => text.replace(/^(?=.)/gm, by);
  if (!keys.every((key) => Object.hasOwn(serviceKeys, key))) return `services:\n${indented('  ')}`;
  const isWhole = keys.includes('run') || keys.includes('watch');
  return `services:\n  example:\n${isWhole ? '' : '    run: program\n'}${indented('    ')}`;
}

describe('the documents', () => {
  it('show only YAML that is a right configuration', () => {
    const problems = DOCUMENTS.flatMap(blocksOf).flatMap(({ title, text }) => {
      const disk: Disk = { ...trusted, look: () => null, read: () => new TextEncoder().encode(asFile(text)) };
      return problemsIn(load('/block.yaml', disk)).map((problem) => `${title}: ${problem}`);
    });
    expect(problems).toEqual([]);
  });

  it('would be caught with a mistake in them', () => {
    const disk: Disk = {
      ...trusted,
      look: () => null,
      read: () => new TextEncoder().encode(asFile('restart: sometimes\n')),
    };
    expect(problemsIn(load('/block.yaml', disk))).toHaveLength(1);
  });

  it('begin with a README that shows one', () => {
    const readme = join(ROOT, 'README.md');
    if (existsSync(readme)) expect(blocksOf(readme).length).toBeGreaterThan(0);
  });
});
