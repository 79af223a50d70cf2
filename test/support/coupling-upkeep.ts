// Pairs of agent and witness below a real keeper.

import { call } from '../../src/control/client.js';
import type { ServiceStatus, Status } from '../../src/core/status.js';
import type { Couple } from './agent-and-witness.js';
import type { Cosigning } from './cosigning.js';
import type { Candidate, Found, Pair } from './coupling-table.js';
import { signal } from './running.js';
import { forgetEverything, Keeper, upkeep, writeConfig } from './sandbox-keeper.js';

type Told = (cosigning: Cosigning, couple: Couple) => Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The states that stay as they are without something new; any other is on its way. */
const STILL: ReadonlyMap<ServiceStatus['state'], Found['state']> = new Map([
  ['running', 'running'],
  ['stopped', 'down'],
  ['failed', 'down'],
  ['done', 'down'],
  ['skipped', 'down'],
]);

export function upkeepWith(told: Told): Candidate {
  let keeper: Keeper | null = null;
  return {
    start: async (pairs, cosigning) => {
      forgetEverything();
      const services = Object.assign({}, ...pairs.map((pair) => settingsOf(pair, told(cosigning, coupleOf(pair)))));
      writeConfig(JSON.stringify({ services }));
      keeper = await Keeper.start();
    },
    look: async (pair) => {
      const { agent, witness } = coupleOf(pair);
      const answer = await call({
        socket: '/run/upkeep/control.sock',
        method: 'GET',
        path: '/v1/status',
        patience: 20_000,
      });
      if (answer.type !== 'ok') throw new Error(JSON.stringify(answer));
      const { services } = answer.body as Status;
      return { agent: foundIn(services, agent), witness: foundIn(services, witness) };
    },
    act: async (pair, verb) => {
      upkeep(verb, coupleOf(pair).witness);
    },
    signal: (pid, name) => signal(pid, `SIG${name}`),
    end: async () => {
      await keeper?.stop();
    },
  };
}

const coupleOf = (pair: Pair): Couple => ({ ...pair, agent: `agent-${pair.id}`, witness: `witness-${pair.id}` });

function settingsOf(pair: Pair, told: ReturnType<Told>): Readonly<Record<string, unknown>> {
  const { witness } = coupleOf(pair);
  const restart = { when: pair.comeback === 'no' ? 'never' : 'always' };
  return { ...told, [witness]: { ...told[witness], restart } };
}

function foundIn(services: readonly ServiceStatus[], name: string): Found {
  const service = services.find((one) => one.name === name);
  if (service === undefined) throw new Error(`there is no ${name}`);
  return {
    state: STILL.get(service.state) ?? 'moving',
    pid: service.process?.pid ?? 0,
    starts: service.generation,
  };
}
