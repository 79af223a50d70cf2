// The installers as the command line uses them: who and where it is about, put together with src/install/.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Places } from '../cli/places.js';
import { placesOf, type Who } from '../cli/places.js';
import type { Installer, InstallPlan, RemovalPlan } from '../cli/ports.js';
import { clockText } from '../cli/time-text.js';
import { Ground } from '../install/ground.js';
import { endGuard } from '../install/guard-pid.js';
import { carryOut, planInstall, startNow, stepLines } from '../install/install.js';
import { lockHolder } from '../install/lock-holder.js';
import { readOwner } from '../install/owner.js';
import { readMark } from '../install/stopped-mark.js';
import type { Target } from '../install/target.js';
import { forget, planRemoval, takeAway } from '../install/uninstall.js';
import { isVia, VIAS } from '../install/via.js';
import { startTextOf } from '../install/way.js';

export function installerFor(places: Places, who: Who, user: string): Installer {
  const target = targetFor(places, who, user);
  const ground = new Ground();
  return {
    ways: VIAS,
    plan: (via, want): InstallPlan => {
      const plan = planInstall(target, ground, via !== null && isVia(via) ? via : null, want);
      if (plan.type === 'refused') return plan;
      const { way, steps, chosen, owner } = plan;
      return {
        type: 'ready',
        via: way.via,
        chosen,
        state: owner === 'here' && steps.length === 0 ? 'installed' : 'to do',
        lines: [
          ...steps.flatMap(stepLines),
          ...(owner === 'here' ? [] : [`write ${join(places.state, 'owner.json')}`]),
        ],
        startLine: `run ${way.start.join(' ')}`,
        written: steps.flatMap((step) =>
          step.type === 'file' ? [step.file.path] : step.type === 'crontab' ? ['a line of your crontab'] : [],
        ),
        config: target.config ?? places.config,
        keeps: way.keeps,
        startText: way.startText,
        notes: way.notes,
        carryOut: () => carryOut(target, ground, plan),
        start: () => startNow(target, ground, way),
      };
    },
    removal: (via): RemovalPlan => {
      const plan = planRemoval(target, ground, via !== null && isVia(via) ? via : null);
      if (plan.type !== 'ready') return plan;
      const { way, paths, crontab } = plan;
      return {
        type: 'ready',
        via: way.via,
        lines: [
          ...(way.stop === null ? [] : [`run ${way.stop.join(' ')}`]),
          ...way.beforeRemoval.map((command) => `run ${command.join(' ')}`),
          ...(crontab === null ? [] : ['take our line out of your crontab, and leave the others as they are']),
          ...paths.map((path) => `remove ${path}${path.endsWith('/') ? ' if it is empty' : ''}`),
          ...way.afterRemoval.map((command) => `run ${command.join(' ')}`),
          `remove ${join(places.state, 'owner.json')}`,
        ],
        stop: () => {
          if (way.stop !== null) ground.run(way.stop);
        },
        takeAway: () => takeAway(ground, plan),
        endGuard: () => endGuard(target),
        keeper: () => lockHolder(places.runtime),
        forget: () => forget(target),
      };
    },
  };
}

function installedConfig({ state }: Places): string | null {
  const found = readOwner(state);
  return found.type === 'owner' ? found.owner.config : null;
}

/** Who keeps the keeper that is not there, and who stopped it: a clause for messages; null: nobody does. */
export function whoKeeps({ state, whose }: Places): string | null {
  const found = readOwner(state);
  const start = found.type === 'owner' ? startTextOf(found.owner.via, whose) : 'upkeep run';
  const mark = readMark(state);
  if (mark !== null)
    return `it was stopped on purpose by ${mark.by} at ${clockText(mark.at, Date.now())}; \`${start}\` starts it`;
  return found.type === 'owner' ? `${found.owner.via} is to start it again; \`${start}\` does it now` : null;
}

function targetFor(places: Places, who: Who, user: string): Target {
  const package_ = fileURLToPath(new URL('../..', import.meta.url));
  // What the keeper would find without help: cron and systemd give it no variable but HOME.
  const home = who.env.HOME === undefined || who.env.HOME === '' ? who.home : who.env.HOME;
  const plain = placesOf({ whose: places.whose, config: null }, { ...who, env: { HOME: home } });
  const differing = (
    [
      ['UPKEEP_RUNTIME_DIR', places.runtime, plain.runtime],
      ['UPKEEP_STATE_DIR', places.state, plain.state],
      ['UPKEEP_LOG_DIR', places.logs, plain.logs],
    ] as const
  ).filter(([, here, there]) => here !== there);
  return {
    whose: places.whose,
    uid: who.uid,
    user,
    configHome: join(plain.config, '../..'),
    node: process.execPath,
    program: join(package_, 'bin/upkeep'),
    scripts: join(package_, 'lib'),
    runtime: places.runtime,
    state: places.state,
    logs: places.logs,
    config: places.config === plain.config ? installedConfig(places) : places.config,
    environment: Object.fromEntries(differing.map(([name, here]) => [name, here])),
  };
}
