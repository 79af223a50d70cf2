// What the tests of the installers look at: the keeper that answers, the processes of its services, and that nothing of an
// installer is left. Two services, found by what they are told to sleep.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { forgetEverything, statuses, upkeep, writeConfig } from './sandbox-keeper.js';
import { endAll, processes, until } from './sandbox-machine.js';

const CONFIG = `
defaults: { ready: { alive: 100ms } }
services:
  one: { run: "sleep 100001" }
  two: { run: "sleep 100002" }
`;

const STAMP = '/run/upkeep/progress';

/** Nothing runs, nothing is remembered; the configuration is there. */
export async function freshGround(): Promise<void> {
  forgetEverything();
  await endAll('/usr/bin/sleep');
  writeConfig(CONFIG);
}

/** The keeper that answers; null: none does. */
export function keeperNow(): { readonly pid: number; readonly owner: string | null } | null {
  const ran = upkeep('status', '--json');
  if (ran.stdout === '') return null;
  const { keeper } = JSON.parse(ran.stdout) as {
    readonly keeper: { readonly pid: number; readonly owner: string | null };
  };
  return keeper;
}

/** The keeper once it is another process than `old`. */
export function keeperAfter(
  old: number,
  seconds: number,
): Promise<{ readonly pid: number; readonly owner: string | null }> {
  return until(
    `a keeper that is not ${old}`,
    () => {
      if (isStampOf(old)) return undefined;
      const now = keeperNow();
      return now !== null && now.pid !== old ? now : undefined;
    },
    seconds,
  );
}

/** No keeper has stamped after this one: costs next to nothing to know, while cron lets us wait for its minute. */
const isStampOf = (pid: number): boolean => existsSync(STAMP) && readFileSync(STAMP, 'utf8').endsWith(` ${pid}\n`);

/** The pids of both services, once they run. */
export function servicePids(): Promise<readonly number[]> {
  return until('both services run', () => {
    const all = statuses();
    return all.length === 2 && all.every(({ state }) => state === 'running')
      ? all.map(({ process: main }) => main?.pid ?? 0)
      : undefined;
  });
}

/** The same processes run, and no copies of them: one `sleep` each. */
export const copies = (): number =>
  processes().filter(({ argv }) => argv[0] === 'sleep' && /^10000[12]$/.test(argv[1] ?? '')).length;

/** What an installer of any kind may have written. */
export const leftovers = (): readonly string[] =>
  [
    '/etc/systemd/system/upkeep.service',
    '/etc/systemd/system/multi-user.target.wants/upkeep.service',
    '/etc/cron.d/upkeep',
    '/etc/init.d/upkeep',
    ...[0, 1, 2, 3, 4, 5, 6].flatMap((level) =>
      list(`/etc/rc${level}.d`)
        .filter((name) => name.endsWith('upkeep'))
        .map((name) => `/etc/rc${level}.d/${name}`),
    ),
    '/var/lib/upkeep/owner.json',
    '/var/lib/upkeep/stopped',
    '/run/upkeep/guard.pid',
    '/run/upkeep/check.lock',
    '/var/log/upkeep/_keeper.log',
  ].filter((path) => path.includes('/rc') || existsSync(path));

const list = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);
