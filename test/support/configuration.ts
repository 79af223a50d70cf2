// Configurations out of texts: a disk in memory and a host that says what a test wants, for the real loader.

import type { Disk, Look } from '../../src/config/disk.js';
import type { HostFacts } from '../../src/config/host-facts.js';
import { type Configuration, type Loaded, loadConfig, type Request } from '../../src/config/load.js';
import { problemText } from '../../src/config/problem.js';

export const WEB1: HostFacts = {
  hostName: 'web1.example.org',
  hard: ['any', 'linux', 'x86_64', 'debian', 'debian_12', 'web1_example_org', 'web1', 'root', 'systemd'],
  given: [],
  exists: () => false,
};

/** What lstat would say, for what is not root's and 0644 or 0755. */
export type Oddities = Readonly<Record<string, Partial<Look> & { readonly target?: string }>>;

/** Files by path, with the directories that they need. */
export function memoryDisk(files: Readonly<Record<string, string>>, odd: Oddities = {}): Disk {
  const paths = Object.keys({ ...files, ...odd });
  const isDirectory = (path: string): boolean =>
    path === '/' || paths.some((other) => other.startsWith(`${path}/`)) || odd[path]?.type === 'directory';
  const plain = (path: string): Look | null => {
    if (files[path] !== undefined) return { type: 'file', uid: 0, mode: 0o644 };
    if (isDirectory(path)) return { type: 'directory', uid: 0, mode: 0o755 };
    return odd[path] === undefined ? null : { type: 'file', uid: 0, mode: 0o644 };
  };
  return {
    look: (path) => {
      const look = plain(path);
      return look === null ? null : { ...look, ...odd[path] };
    },
    target: (link) => odd[link]?.target ?? '',
    names: (directory) => {
      if (!isDirectory(directory)) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
      const inside = paths.filter((path) => path.startsWith(directory === '/' ? '/' : `${directory}/`));
      const rests = inside.map((path) => path.slice(directory === '/' ? 1 : directory.length + 1).split('/')[0] ?? '');
      return [...new Set(rests)].filter((name) => name !== '');
    },
    read: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
      return new TextEncoder().encode(text);
    },
  };
}

/** Loads `/u.yaml`, given alone or with the files that it includes. */
export function loadText(
  text: string | Readonly<Record<string, string>>,
  request: Partial<Request> = {},
  odd: Oddities = {},
): Loaded {
  const files = typeof text === 'string' ? { '/u.yaml': text } : text;
  const asked: Request = { path: '/u.yaml', facts: WEB1, environment: {}, who: { uid: 0 }, ...request };
  return loadConfig(asked, memoryDisk(files, odd));
}

/** All problems, one line each; none when it is right. */
export function problemsOf(...ask: Parameters<typeof loadText>): readonly string[] {
  const loaded = loadText(...ask);
  return loaded.type === 'bad' ? loaded.problems.map(problemText) : [];
}

/** All warnings about a configuration that is right, one line each. */
export const warningsOf = (...ask: Parameters<typeof loadText>): readonly string[] =>
  loadText(...ask).warnings.map(problemText);

/** The configuration; throws with all problems when it is not right. */
export function configOf(...ask: Parameters<typeof loadText>): Configuration {
  const loaded = loadText(...ask);
  if (loaded.type === 'bad') throw new Error(loaded.problems.map(problemText).join('\n'));
  return loaded.config;
}
