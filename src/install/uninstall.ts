// `upkeep uninstall`: takes away what an install wrote, and nothing else. First whatever would start the keeper again, then,
// by the command line, the keeper, then the traces.

import { rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { wayFor } from './choose.js';
import { findClaims, readCrontab } from './claim.js';
import { mergeLine } from './cron.js';
import type { Ground } from './ground.js';
import { ownerPath, readOwner } from './owner.js';
import { removeMark } from './stopped-mark.js';
import { markOf, type Target } from './target.js';
import type { Via } from './via.js';
import type { Way } from './way.js';

export type Removal =
  | { readonly type: 'nothing' }
  /** One sentence. */
  | { readonly type: 'refused'; readonly problem: string }
  | {
      readonly type: 'ready';
      readonly way: Way;
      /** Files and links that are there; directories end in a slash. */
      readonly paths: readonly string[];
      /** The crontab without our line; null: none of it is ours. */
      readonly crontab: string | null;
    };

/** What would be taken away; touches nothing. */
export function planRemoval(target: Target, ground: Ground, asked: Via | null): Removal {
  const found = readOwner(target.state);
  const claims = findClaims(target, ground).filter(({ type }) => type === 'ours');
  const via = (found.type === 'owner' ? found.owner.via : null) ?? claims[0]?.via ?? null;
  if (via === null)
    return found.type === 'unreadable' ? { type: 'refused', problem: found.problem } : { type: 'nothing' };
  if (asked !== null && asked !== via)
    return {
      type: 'refused',
      problem: `this keeper is kept by ${via}, not by ${asked}; \`upkeep uninstall\` takes it away`,
    };
  const way = wayFor(via, target, ground);
  const recorded = found.type === 'owner' ? found.owner.files : [];
  const wished = [...way.files, ...way.links].map(({ path }) => path);
  const claimed = claims.map(({ path }) => path).filter((path) => path.startsWith('/'));
  const paths = [...new Set([...wished, ...claimed, ...recorded])].filter((path) => isOurs(path, way, target, ground));
  const crontab = way.line === null ? null : mergeLine(readCrontab(ground), way.line.mark, null);
  return { type: 'ready', way, paths, crontab };
}

/** A file with our mark, a link that we would make, or a directory that we made. */
function isOurs(path: string, { files, links }: Way, target: Target, ground: Ground): boolean {
  if (path.endsWith('/')) return ground.has(path);
  const found = ground.find(path);
  if (found.type === 'file') return found.text.includes(`${markOf(target)};`);
  if (found.type !== 'link') return false;
  return (
    links.some((link) => link.path === path && link.target === found.target) ||
    files.some((file) => file.path === found.target)
  );
}

/** Takes away all that would start the keeper again. Throws a sentence. */
export function takeAway(ground: Ground, { way, paths, crontab }: Extract<Removal, { type: 'ready' }>): void {
  for (const command of way.beforeRemoval) ground.run(command);
  if (crontab !== null) {
    const { code, stderr } = crontab === '' ? ground.run(['crontab', '-r']) : ground.run(['crontab', '-'], crontab);
    if (code !== 0) throw new Error(`crontab: ${stderr.trim()}`);
  }
  for (const path of paths.filter((one) => !one.endsWith('/'))) ground.remove(path);
  for (const path of paths.filter((one) => one.endsWith('/')).toReversed()) ground.removeDirectory(path.slice(0, -1));
  // What they say about a unit that is already gone is of no interest.
  for (const command of way.afterRemoval) ground.run(command);
}

/** When the keeper has ended: what is left of who kept it. The services' logs and the operators' words stay. */
export function forget({ state, runtime, logs }: Target): void {
  rmSync(ownerPath(state), { force: true });
  removeMark(state);
  for (const path of [join(runtime, 'guard.pid'), join(runtime, 'check.lock')]) rmSync(path, { force: true });
  for (const name of ['_keeper.log', '_keeper.log.1']) rmSync(join(logs, name), { force: true });
  for (const path of [logs, runtime, state]) removeIfEmpty(path);
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Something is in it: what the keeper itself has written stays.
  }
}
