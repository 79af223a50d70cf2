// The table of docs/coupling.md: what becomes of the agent and of the cosigning in each way in which the witness can end, under
// whoever keeps the two. Plays the ways and writes down what it finds; how somebody is told to keep them is not known here.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Cosigning, cosign, type Sockets } from './cosigning.js';
import { until } from './sandbox-machine.js';

const ENDINGS = [
  'stop',
  'kill -9',
  'exit 0',
  'crash',
  'restart',
  'the agent hangs, then kill -9',
  'the agent is killed',
] as const;
type Ending = (typeof ENDINGS)[number];

/** Whether the witness's own rule starts it again after an end that nobody asked for. */
const COMEBACKS = ['no', 'always'] as const;
export type Comeback = (typeof COMEBACKS)[number];

/** An agent and a witness, to see one way to end. */
export interface Pair extends Sockets {
  readonly id: string;
  readonly comeback: Comeback;
  readonly ending: Ending;
}

/** `moving`: whoever keeps it has not finished with it. */
export interface Found {
  readonly state: 'running' | 'down' | 'moving';
  /** 0: it has none. */
  readonly pid: number;
  /** How often it has been started. */
  readonly starts: number;
}

export interface Both {
  readonly agent: Found;
  readonly witness: Found;
}

/** Somebody who keeps pairs. */
export interface Candidate {
  /** Has all of them started, and does not wait for it. */
  readonly start: (pairs: readonly Pair[], cosigning: Cosigning) => Promise<void>;
  readonly look: (pair: Pair) => Promise<Both>;
  /** What an operator asks for the witness, to its end. */
  readonly act: (pair: Pair, verb: 'stop' | 'restart') => Promise<void>;
  /** To a process that `look` has named. */
  readonly signal: (pid: number, name: 'KILL' | 'INT' | 'SEGV' | 'STOP') => void;
  /** Ends all of them, and what it was told of them. */
  readonly end: (pairs: readonly Pair[]) => Promise<void>;
}

/** A cell for each way to end, by whether the witness comes back by itself. */
export type Row = Readonly<Record<Comeback, readonly string[]>>;

/** Plays every way, each with a pair of its own, all beside one another. */
export async function measure(candidate: Candidate, cosigning: Cosigning, place: string): Promise<Row> {
  const pairs = COMEBACKS.flatMap((comeback) => ENDINGS.map((ending) => newPair(place, comeback, ending)));
  try {
    await candidate.start(pairs, cosigning);
    const begun = await settled(pairs, async (pair) => {
      const both = await candidate.look(pair);
      return isUp(both) && (await cosigns(pair, cosigning)) ? both : undefined;
    });
    for (const [pair, before] of begun) await play(candidate, pair, before);
    const ended = await settled([...begun], async ([pair, before]) =>
      outcome(before, await candidate.look(pair), pair, cosigning),
    );
    const cells = (comeback: Comeback): readonly string[] =>
      [...ended].filter(([[pair]]) => pair.comeback === comeback).map(([, cell]) => cell);
    return { no: cells('no'), always: cells('always') };
  } finally {
    await candidate.end(pairs);
  }
}

const HALVES: Readonly<Record<Comeback, string>> = {
  no: 'Nothing starts the witness again (systemd: `Restart=no`, Upkeep: `restart: never`)',
  always: 'The witness’s own rule starts it again (systemd: `Restart=always`, Upkeep: `restart: always`)',
};

/** As it stands in docs/coupling.md. */
export function printed(rows: ReadonlyMap<string, Row>): string {
  return COMEBACKS.map((comeback) => {
    const lines = [...rows].map(([label, row]) => [label, ...row[comeback]]);
    const table = [['', ...ENDINGS], ['---', ...ENDINGS.map(() => '---')], ...lines];
    return `${HALVES[comeback]}:\n\n${table.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
  }).join('\n');
}

function newPair(place: string, comeback: Comeback, ending: Ending): Pair {
  const id = `${comeback}-${ending.replace(/\W+/g, '-')}`;
  const at = join(place, id);
  mkdirSync(at, { recursive: true, mode: 0o755 });
  return { id, comeback, ending, agentSocket: join(at, 'agent.sock'), witnessSocket: join(at, 'witness.sock') };
}

/** What is found for each once it is found for all of them, twice in succession. */
async function settled<Key, Value>(
  keys: readonly Key[],
  look: (key: Key) => Promise<Value | undefined>,
): Promise<ReadonlyMap<Key, Value>> {
  let last = '';
  let left = keys;
  return until(
    () => `nothing more to move for ${JSON.stringify(left)}`,
    async () => {
      const found = new Map<Key, Value>();
      for (const key of keys) {
        const value = await look(key);
        if (value !== undefined) found.set(key, value);
      }
      left = keys.filter((key) => !found.has(key));
      const now = JSON.stringify([...found.values()]);
      const isSame = now === last;
      last = now;
      return isSame && left.length === 0 ? found : undefined;
    },
    60,
  );
}

async function play(candidate: Candidate, pair: Pair, { agent, witness }: Both): Promise<void> {
  switch (pair.ending) {
    case 'stop':
    case 'restart':
      await candidate.act(pair, pair.ending);
      break;
    case 'kill -9':
      candidate.signal(witness.pid, 'KILL');
      break;
    case 'exit 0':
      candidate.signal(witness.pid, 'INT');
      break;
    case 'crash':
      candidate.signal(witness.pid, 'SEGV');
      break;
    case 'the agent hangs, then kill -9':
      candidate.signal(agent.pid, 'STOP');
      candidate.signal(witness.pid, 'KILL');
      break;
    case 'the agent is killed':
      candidate.signal(agent.pid, 'KILL');
      break;
  }
}

/** What has become of the two, in the words of the table; nothing while that can still change. */
async function outcome(before: Both, now: Both, pair: Pair, cosigning: Cosigning): Promise<string | undefined> {
  const { agent, witness } = now;
  if (agent.state === 'moving' || witness.state === 'moving' || witness.pid === before.witness.pid) return undefined;
  const isHung = pair.ending === 'the agent hangs, then kill -9' && agent.pid === before.agent.pid;
  const isWanted = isWantedAfter(pair);
  const startsOf = (name: keyof Both): number => counted(now[name].starts - before[name].starts, pair);
  const canCosign = agent.state === 'running' && witness.state === 'running' && !isHung;
  if (canCosign && !(await cosigns(pair, cosigning))) return undefined;
  const become = isHung ? 'hangs' : agent.state === 'down' ? 'gone' : times(startsOf('agent'));
  if (isWanted && !canCosign) return `${become}, no cosigning`;
  const again = startsOf('witness');
  return again === (isWanted ? 1 : 0) ? become : `${become}, the witness ${times(again)}`;
}

/** Whether the witness is to run afterwards. It is no end of its own that follows its agent's. */
function isWantedAfter({ ending, comeback }: Pair): boolean {
  if (ending === 'restart' || ending === 'the agent is killed') return true;
  return comeback === 'always' && ending !== 'stop';
}

/** Where both have died, two timers of systemd race for whether it is once or twice: not a matter for a table. */
function counted(starts: number, { ending }: Pair): number {
  return ending === 'the agent is killed' ? Math.min(starts, 1) : starts;
}

function times(starts: number): string {
  if (starts === 0) return 'not restarted';
  return starts === 1 ? 'restarted' : `restarted ${starts} times`;
}

const isUp = ({ agent, witness }: Both): boolean => agent.state === 'running' && witness.state === 'running';

const cosigns = async (pair: Pair, { publicKey }: Cosigning): Promise<boolean> =>
  (await cosign(pair.witnessSocket, publicKey)) === 'good';
