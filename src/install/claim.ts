// What already lies where the four ways put their files: ours for this keeper, ours for another one, or somebody else's.
// Two owners would fight: each starts what the other has just replaced.

import { wayFor } from './choose.js';
import { mergeLine } from './cron.js';
import type { Ground } from './ground.js';
import { packagedUnits } from './systemd.js';
import { MARK, markOf, type Target } from './target.js';
import { VIAS, type Via } from './via.js';

export type Claim =
  | { readonly type: 'ours'; readonly via: Via; readonly path: string }
  /** One sentence. */
  | { readonly type: 'theirs'; readonly via: Via; readonly path: string; readonly problem: string };

/** Everything that starts, or looks as if it started, a keeper here. */
export function findClaims(target: Target, ground: Ground): readonly Claim[] {
  return VIAS.flatMap((via): readonly Claim[] => {
    const way = wayFor(via, target, ground);
    const claims = way.files.flatMap(({ path }) => claimAt(via, path, target, ground));
    if (way.line !== null && lineIsThere(way.line.mark, ground))
      claims.push({ type: 'ours', via, path: 'your crontab' });
    if (via === 'systemd')
      claims.push(
        ...packagedUnits(target.whose)
          .flatMap((path) => claimAt(via, path, target, ground))
          .slice(0, 1),
      );
    return claims;
  });
}

function claimAt(via: Via, path: string, target: Target, ground: Ground): Claim[] {
  const found = ground.find(path);
  const theirs = (problem: string): Claim[] => [{ type: 'theirs', via, path, problem: `${path} ${problem}` }];
  switch (found.type) {
    case 'none':
      return [];
    case 'link':
      return theirs(
        found.target === '/dev/null'
          ? 'is masked; `systemctl unmask upkeep` takes that away'
          : `is a link to ${found.target}, which is not ours; remove it first`,
      );
    case 'other':
      return theirs('is no file; remove it first');
    case 'file':
      break;
  }
  const head = found.text.split('\n').slice(0, 2);
  if (head.some((line) => line.includes(`${markOf(target)};`))) return [{ type: 'ours', via, path }];
  const other = head.find((line) => line.includes(MARK));
  return theirs(
    other === undefined
      ? 'is not ours, and may start a keeper; remove it first'
      : `starts another keeper (${other.replace(/^.* in (.*);.*$/, '$1')}); \`upkeep uninstall\` with that keeper's places takes it away`,
  );
}

/** The crontab of this user; '' when there is none. Throws a sentence where one may not look. */
export function readCrontab(ground: Ground): string {
  const { code, stdout, stderr } = ground.run(['crontab', '-l']);
  if (code === 0) return stdout;
  if (/no crontab for|can't open/i.test(stderr)) return '';
  throw new Error(`crontab -l: ${stderr.trim()}`);
}

function lineIsThere(mark: string, ground: Ground): boolean {
  if (ground.program('crontab') === null) return false;
  return mergeLine(readCrontab(ground), mark, null) !== null;
}
