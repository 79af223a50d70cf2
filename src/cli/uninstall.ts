// `upkeep uninstall`: nobody starts the keeper again, and it ends; the services go on.

import { CommandError, EXIT } from './exit.js';
import { hasFlag, type Verb } from './input.js';
import { ownPlaces, sentenceOr, viaOf } from './install.js';
import { endKeeper, standingAt } from './keeper-end.js';
import { printLines } from './print.js';

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
  // One that was started by hand is nobody's to end here.
  if (keeper?.owner === plan.via) await endKeeper(places, keeper);
  else if (keeper === null) plan.endGuard();
  plan.forget();
  await printLines(out, [
    `uninstalled: ${plan.via} does not start the keeper again`,
    before === null
      ? 'no keeper was running; services that it had started go on'
      : 'the keeper has ended, and the services go on without one; to end them too, run `upkeep stop --all` before',
  ]);
  return EXIT.done;
};
