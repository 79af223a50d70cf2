// What the simulated kernel does before a start: the rules of prepare.ts in the real one, on files that have an owner, a type
// and perhaps somebody who has them, and no links on the way.

import type { ServiceSpec } from '../../src/core/spec.js';
import type { SimulatedHost, SimulatedProcess } from './simulated-host.js';
import { UIDS } from './simulated-match.js';

/** Null: all is as it should be; else why the start cannot go on. */
export function prepareOn(
  host: SimulatedHost,
  { directories, clean, settings }: ServiceSpec,
  isOurs: (process: SimulatedProcess) => boolean,
): string | null {
  const uid = UIDS[settings.user ?? 'root'];
  if (uid === undefined) return `no such user: ${settings.user}`;
  for (const { path } of directories) {
    const there = host.files.get(path);
    if (there !== undefined && there.type !== 'directory') return `${path} is there and is no directory`;
    if (there !== undefined && there.uid !== uid) return `${path} belongs to user ${there.uid}`;
    host.files.set(path, { type: 'directory', uid, holder: null });
  }
  for (const path of clean) {
    const there = host.files.get(path);
    if (there?.type === 'directory') return `${path} is a directory`;
    const holder = there?.holder == null ? null : host.find(there.holder);
    if (holder === null || !isOurs(holder)) host.files.delete(path);
  }
  return null;
}
