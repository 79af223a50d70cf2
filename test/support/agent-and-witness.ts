// What Upkeep is told of an agent and its witness, as values of the configuration: as its operator would have it, and the unit of the
// article word for word.

import { dirname } from 'node:path';
import { type Cosigning, patientWitness, type Sockets, SSH_ADD, SSH_AGENT, witnessCommand } from './cosigning.js';

export interface Couple extends Sockets {
  /** The names of the two services. */
  readonly agent: string;
  readonly witness: string;
}

type Settings = Readonly<Record<string, unknown>>;

/** The witness needs its agent; the agent is restarted with its witness, from clean state, and has started once it signs. */
export function coupled(cosigning: Cosigning, couple: Couple): Readonly<Record<string, Settings>> {
  const { agent, witness, witnessSocket } = couple;
  return {
    [witness]: {
      ...witnessOf(couple),
      run: witnessCommand(cosigning, couple),
      needs: [agent],
      ready: { socket: witnessSocket },
    },
    [agent]: { ...agentOf(cosigning, couple), restartWith: [witness] },
  };
}

/**
 * `After=` and `Requires=` on the agent, and the wish itself. The witness is ready before its agent is there, as for systemd, and
 * so has to wait for it by itself.
 */
export function asTheArticleHasIt(cosigning: Cosigning, couple: Couple): Readonly<Record<string, Settings>> {
  const { agent, witness, agentSocket } = couple;
  return {
    [witness]: {
      ...witnessOf(couple),
      run: ['sh', '-c', patientWitness(cosigning, couple)],
      env: { SSH_AUTH_SOCK: agentSocket },
      ready: { alive: '100ms' },
    },
    [agent]: { ...agentOf(cosigning, couple), needs: [witness], restartWith: [witness] },
  };
}

const witnessOf = ({ witnessSocket }: Couple): Settings => ({
  directories: [dirname(witnessSocket)],
  clean: [witnessSocket],
  limits: { core: 0 },
});

const agentOf = ({ key }: Cosigning, { agentSocket }: Couple): Settings => ({
  run: [SSH_AGENT, '-D', '-a', agentSocket],
  env: { SSH_AUTH_SOCK: agentSocket },
  directories: { [dirname(agentSocket)]: { mode: '0750' } },
  clean: [agentSocket],
  ready: { socket: agentSocket },
  // With -T it signs, and verifies the signature.
  hooks: { afterStart: [`${SSH_ADD} -q ${key}`, `${SSH_ADD} -T ${key}.pub`] },
});
