// `upkeep uninstall`: nobody starts the keeper again, and it ends; the services go on.

import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, EXIT } from './exit.js';
import { hasFlag, type Verb } from './input.js';
import { ownPlaces, sentenceOr, viaOf } from './install.js';
import { endKeeper, standingAt } from './keeper-end.js';
import { printLines } from './print.js';

const LOOK_MS = 100;

export const uninstall: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const places = ownPlaces(input, ports);
  const installer = await ports.installer(places);
  const plan = sentenceOr(() => installer.removal(viaOf(input, installer)));
  switch (plan.type) {
    case 'nothing':
      await printLines(out, ['nothing is installed']);
      return EXIT.done;
    case 'refused':
      throw new CommandError(EXIT.failed, plan.problem);
    case 'ready':
      break;
  }
  if (hasFlag(input, 'dryRun')) {
    await printLines(out, ['would, after which the keeper ends and the services go on:', ...plan.lines]);
    return EXIT.done;
  }
  const before = await standingAt(places);
  sentenceOr(plan.stop);
  sentenceOr(plan.takeAway);
  const keeper = await standingAt(places);
  if (keeper?.owner === plan.via) await endKeeper(places, keeper);
  else if (keeper === null) plan.endGuard();
  plan.forget();
  // One that was started by hand is nobody's to end here.
  const byHand = keeper !== null && keeper.owner !== plan.via ? keeper.pid : null;
  await printLines(out, [
    `uninstalled: ${plan.via} does not start the keeper again`,
    ...(byHand === null ? [] : [`the keeper that was started by hand (pid ${byHand}) goes on`]),
    ...(byHand !== null
      ? []
      : before === null
        ? ['no keeper answered; services that it had started go on']
        : [
            'the keeper has ended, and the services go on without one; to end them too, run `upkeep stop --all` before',
          ]),
  ]);
  const silent = byHand === null ? await stillThere(plan.keeper) : null;
  if (silent === null) return EXIT.done;
  throw new CommandError(
    EXIT.failed,
    `a keeper (pid ${silent}) is there and does not answer; \`kill -9 ${silent}\` ends it, and the services go on`,
  );
};

/** A keeper that has just been told to end, by its guard, is given a moment. */
async function stillThere(keeper: () => number | null): Promise<number | null> {
  for (let looks = 0; looks < 50; looks += 1) {
    if (keeper() === null) return null;
    await pause(LOOK_MS);
  }
  return keeper();
}
