// Who owns the keeper, that is, starts it again: `<state>/owner.json`, written by `upkeep install`. Claimed before anything
// else is written, and by a link(2) that fails when there is one: of two installs at once only one goes on.

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, errorText } from '../core/error-text.js';
import { isVia, type Via } from './via.js';

export interface Owner {
  readonly version: 1;
  readonly via: Via;
  /** ISO time of the install. */
  readonly since: string;
  /** --config of the install; null: the default. An install that names none leaves it. */
  readonly config: string | null;
  /** What the install wrote, for `uninstall` of a later version. */
  readonly files: readonly string[];
}

export type FoundOwner =
  | { readonly type: 'none' }
  | { readonly type: 'owner'; readonly owner: Owner }
  /** One sentence. */
  | { readonly type: 'unreadable'; readonly problem: string };

export const ownerPath = (state: string): string => join(state, 'owner.json');

/** Who owns the keeper that has its state here. */
export function readOwner(state: string): FoundOwner {
  const path = ownerPath(state);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return { type: 'none' };
    return { type: 'unreadable', problem: `${path} cannot be read: ${errorText(error)}` };
  }
  const owner = parseOwner(text);
  if (owner !== null) return { type: 'owner', owner };
  return {
    type: 'unreadable',
    problem: `${path} does not say who starts the keeper again; remove it when nothing does, and install anew`,
  };
}

/** null: it is not what we write. */
export function parseOwner(text: string): Owner | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { version, via, since, config, files }: Readonly<Record<string, unknown>> = { ...value };
  if (version !== 1 || typeof via !== 'string' || !isVia(via) || typeof since !== 'string') return null;
  if (!Array.isArray(files)) return null;
  return {
    version,
    via,
    since,
    config: typeof config === 'string' ? config : null,
    files: files.filter((file) => typeof file === 'string'),
  };
}

/** Writes who owns it; `no` when somebody else was first. */
export function claimOwner(state: string, owner: Owner): 'yes' | 'no' {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const path = ownerPath(state);
  const own = `${path}.${process.pid}`;
  writeFileSync(own, `${JSON.stringify(owner, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(own, path);
    return 'yes';
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return 'no';
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}
