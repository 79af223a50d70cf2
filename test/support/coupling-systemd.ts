// Pairs of agent and witness below a real systemd, coupled by what a unit file can say. Each directive is helped as far as its own
// meaning goes: no limit of starts, stale sockets are removed, and the witness's start waits for an agent that has its key.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cosigning, patientWitness, SSH_ADD, SSH_AGENT } from './cosigning.js';
import type { Candidate, Found, Pair } from './coupling-table.js';
import { readQuietly } from './running.js';
import type { Systemd } from './sandbox-systemd.js';

const PLACE = '/etc/systemd/system';

/** A unit that has a job, or is in another state than these, is on its way. */
const STATES: ReadonlyMap<string, Found['state']> = new Map([
  ['active', 'running'],
  ['inactive', 'down'],
  ['failed', 'down'],
]);

/** What is added to the units; each is told how the other one is called. */
export interface Directives {
  readonly agentUnit?: (witness: string) => string;
  readonly witnessUnit?: (agent: string) => string;
  readonly witnessService?: (agent: string) => string;
}

export function systemdWith(systemd: Systemd, directives: Directives): Candidate {
  const systemctl = (...words: readonly string[]): string => {
    const ran = systemd.run('systemctl', ...words);
    if (ran.code !== 0) throw new Error(`systemctl ${words.join(' ')}: ${ran.stderr}`);
    return ran.stdout;
  };
  return {
    start: async (pairs, cosigning) => {
      for (const pair of pairs) {
        writeFileSync(join(PLACE, agentOf(pair)), agentText(pair, directives, cosigning));
        writeFileSync(join(PLACE, witnessOf(pair)), witnessText(pair, directives, cosigning));
      }
      systemctl('daemon-reload');
      systemctl('start', '--no-block', ...unitsOf(pairs));
    },
    look: async (pair) => {
      const shown = systemctl('show', '-p', 'ActiveState,MainPID,Job', agentOf(pair), witnessOf(pair)).split('\n\n');
      return { agent: foundIn(shown[0], pair.agentSocket), witness: foundIn(shown[1], pair.witnessSocket) };
    },
    act: async (pair, verb) => {
      // That it can fail is part of what is looked at.
      systemd.run('systemctl', verb, witnessOf(pair));
    },
    signal: (pid, name) => {
      systemd.run('kill', `-${name}`, String(pid));
    },
    end: async (pairs) => {
      // Their files first: an end must not be answered by what they say.
      for (const unit of unitsOf(pairs)) rmSync(join(PLACE, unit), { force: true });
      systemctl('daemon-reload');
      systemd.run('systemctl', 'kill', '-s', 'KILL', ...unitsOf(pairs));
      systemd.run('systemctl', 'stop', ...unitsOf(pairs));
      systemd.run('systemctl', 'reset-failed');
    },
  };
}

const agentOf = ({ id }: Pair): string => `agent-${id}.service`;
const witnessOf = ({ id }: Pair): string => `witness-${id}.service`;
const unitsOf = (pairs: readonly Pair[]): readonly string[] =>
  pairs.flatMap((pair) => [agentOf(pair), witnessOf(pair)]);

/** A byte for each start. */
const startsOf = (socket: string): string => `${socket}.starts`;

const beforeStart = (socket: string): string => `/bin/sh -c 'rm -f ${socket}; echo >>${startsOf(socket)}'`;

function agentText(pair: Pair, { agentUnit }: Directives, { key }: Cosigning): string {
  return `[Unit]
StartLimitIntervalSec=0
${agentUnit?.(witnessOf(pair)) ?? ''}
[Service]
Environment=SSH_AUTH_SOCK=${pair.agentSocket}
ExecStartPre=${beforeStart(pair.agentSocket)}
ExecStart=${SSH_AGENT} -D -a ${pair.agentSocket}
ExecStartPost=/bin/sh -c 'until ${SSH_ADD} -q ${key}; do sleep 0.05; done'
Restart=on-failure
`;
}

function witnessText(pair: Pair, { witnessUnit, witnessService }: Directives, cosigning: Cosigning): string {
  return `[Unit]
StartLimitIntervalSec=0
${witnessUnit?.(agentOf(pair)) ?? ''}
[Service]
Environment=SSH_AUTH_SOCK=${pair.agentSocket}
ExecStartPre=${beforeStart(pair.witnessSocket)}
ExecStart=/bin/sh -c '${patientWitness(cosigning, pair)}'
${witnessService?.(agentOf(pair)) ?? ''}
LimitCORE=0
Restart=${pair.comeback}
`;
}

/** @param shown what `systemctl show` says of one unit */
function foundIn(shown: string | undefined, socket: string): Found {
  const property = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(shown ?? '')?.[1] ?? '';
  const hasJob = !['', '0'].includes(property('Job'));
  return {
    state: hasJob ? 'moving' : (STATES.get(property('ActiveState')) ?? 'moving'),
    pid: Number(property('MainPID')),
    starts: readQuietly(startsOf(socket)).length,
  };
}
