// `upkeep install`: has somebody start the keeper again whenever it ends, and starts it. A keeper that was started by hand
// hands its services over.

import { errorText } from '../core/status.js';
import { CommandError, EXIT, usageError } from './exit.js';
import { hasFlag, type Input, textOf, type Verb, whoseOf } from './input.js';
import { endKeeper, standingAt, waitForKeeper } from './keeper-end.js';
import { ownKeeper, type Places, placesOf } from './places.js';
import type { CliPorts, Installer, InstallPlan } from './ports.js';
import { printLines, warn } from './print.js';

type Ready = Extract<InstallPlan, { type: 'ready' }>;

export const install: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const places = ownPlaces(input, ports);
  const installer = await ports.installer(places);
  const want = input.options.start === false ? 'files' : 'start';
  const plan = sentenceOr(() => installer.plan(viaOf(input, installer), want));
  if (plan.type === 'refused') throw new CommandError(EXIT.failed, plan.problem);
  if (hasFlag(input, 'dryRun')) {
    await printLines(out, dryLines(plan, want));
    return EXIT.done;
  }
  const before = await standingAt(places);
  if (plan.state === 'installed' && (want === 'files' || before?.owner === plan.via)) {
    await printLines(out, [`already installed: ${plan.keeps}`]);
    return EXIT.done;
  }
  await refuseBroken(plan, input, ports);
  if (plan.chosen === 'by us') await printLines(out, [`--via ${plan.via}, the first that this host has`]);
  sentenceOr(plan.carryOut);
  await printLines(
    out,
    plan.written.map((place) => `wrote ${place}`),
  );
  await warn(ports.terminal.err, plan.notes);
  if (want === 'files') {
    await printLines(out, [`installed, and not started; \`${plan.startText}\` starts it`]);
    return EXIT.done;
  }
  if (before?.owner === plan.via) {
    await printLines(out, [`the keeper (pid ${before.pid}) goes on; what is new counts from its next start`]);
    return EXIT.done;
  }
  if (before !== null) {
    await printLines(out, [`the keeper that runs (pid ${before.pid}) ends, and its services go on`]);
    await endKeeper(places, before);
  }
  return start(plan, places, ports);
};

async function start(plan: Ready, places: Places, { terminal }: CliPorts): Promise<number> {
  sentenceOr(plan.start);
  const keeper = await waitForKeeper(places);
  if (keeper === null)
    throw new CommandError(EXIT.failed, `installed, but no keeper answers yet; ${whereItSays(plan, places)} says why`);
  if (keeper.owner !== plan.via) {
    throw new CommandError(
      EXIT.failed,
      `installed, but another keeper (pid ${keeper.pid}) has come back by itself: something else starts one too, and the two would fight; find it and take it away`,
    );
  }
  await printLines(terminal.out, [`the keeper runs (pid ${keeper.pid}): ${plan.keeps}`]);
  return EXIT.done;
}

const whereItSays = ({ via }: Ready, { logs, whose }: Places): string =>
  via === 'systemd' ? `\`journalctl ${whose === 'user' ? '--user ' : ''}-u upkeep\`` : `${logs}/_keeper.log`;

function dryLines(plan: Ready, want: 'start' | 'files'): readonly string[] {
  if (plan.state === 'installed') return [`already installed: ${plan.keeps}; nothing would be written`];
  return [
    `--via ${plan.via}${plan.chosen === 'by us' ? ', the first that this host has' : ''}; would:`,
    ...plan.lines,
    ...(want === 'start' ? [plan.startLine] : []),
  ];
}

/** A keeper that would refuse to start is no use to anybody. @throws CommandError 1 after telling all problems */
async function refuseBroken({ config }: Ready, input: Input, ports: CliPorts): Promise<void> {
  const { loadRight } = await import('./check.js');
  await loadRight({ ...input, words: [], options: { ...input.options, config } }, ports, 'specs');
}

/** The keeper of whoever asks: nobody installs for others. */
export function ownPlaces(input: Input, { terminal }: CliPorts): Places {
  const { who } = terminal;
  const own = ownKeeper(who.uid);
  const whose = whoseOf(input) ?? own;
  if (whose !== own) {
    throw usageError(
      own === 'system'
        ? `root has the system's keeper; for one of a user's own, run \`upkeep ${input.verb}\` as that user`
        : `the system's keeper is root's; run \`upkeep ${input.verb}\` as root`,
    );
  }
  return placesOf({ whose, config: textOf(input, 'config') }, who);
}

export function viaOf(input: Input, { ways }: Installer): string | null {
  const via = textOf(input, 'via');
  if (via === null || ways.includes(via)) return via;
  throw usageError(`--via ${via}: the ways are ${ways.join(', ')}`);
}

/** What the system refuses is a sentence, not a stack. */
export function sentenceOr<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(EXIT.failed, errorText(error));
  }
}
