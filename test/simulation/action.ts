// What chaos may do, as plain data: a schedule is a list of these, made from a seed, and any part of the list is a
// schedule too, so that a failure can be shortened. Numbers called `pick` choose among what is there at the time.

import type { Doing } from '../support/program.js';
import type { Random } from '../support/random.js';
import type { Course } from '../support/simulated-askers.js';

export type Ending = 'SIGKILL' | 'SIGTERM' | 'SIGSEGV' | 'SIGABRT' | 'oom' | 'exit 0' | 'exit 1' | 'exit 3';

export type Wish =
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload'
  | 'hold'
  | 'unhold'
  | 'reset'
  | 'stop for'
  | 'stop until boot'
  | 'hold for'
  | 'signal';

export type Temper =
  | 'healthy'
  | 'missing'
  | 'busy text'
  | 'exits at once'
  | 'fails at once'
  | 'crashes soon'
  | 'never ready'
  | 'ignores TERM'
  | 'drains'
  | 'forks'
  | 'sleeps in the kernel'
  | 'start fails'
  | 'start hangs'
  | 'start finds nothing'
  | 'start doubles'
  | 'slow daemon'
  | 'hooks fail'
  | 'hooks hang'
  | 'skipped'
  | 'does nothing right'
  | 'hangs soon'
  | 'cannot be asked'
  | 'refuses'
  | 'keeps its state'
  | 'loses its state'
  | 'says ready and ends'
  | 'knows no channel'
  | 'says nothing';

/** Words that a process of a service may say at any time, by sd_notify or on its channel. */
export type Saying =
  | 'ready'
  | 'reloading'
  | 'stopping'
  | 'status'
  | 'extend'
  | 'trigger'
  | 'store'
  | 'remove'
  | 'wantsState'
  | 'exported'
  | 'noState'
  | 'exportFailed'
  | 'refused';

export type Step =
  | { readonly type: 'wait' }
  | { readonly type: 'die'; readonly pick: number; readonly ending: Ending }
  | { readonly type: 'storm'; readonly ending: Ending }
  /** Somebody stops a service so many times, whenever it is up. */
  | { readonly type: 'opponent'; readonly pick: number; readonly every: number; readonly times: number }
  | { readonly type: 'stranger'; readonly pick: number; readonly looks: 'like it' | 'otherwise' }
  | { readonly type: 'fill'; readonly count: number }
  | { readonly type: 'temper'; readonly pick: number; readonly temper: Temper }
  | { readonly type: 'spawn errors'; readonly count: number; readonly errno: string }
  | { readonly type: 'ask'; readonly pick: number; readonly wish: Wish; readonly length: number }
  /** The same of several at once. */
  | { readonly type: 'ask all'; readonly picks: readonly number[]; readonly wish: 'start' | 'stop' | 'restart' }
  | { readonly type: 'echo'; readonly pick: number }
  | {
      readonly type: 'lie';
      readonly pick: number;
      readonly about: 'exited' | 'becameReady' | 'emptied' | 'spawned' | 'answered';
    }
  /** `again`: the next one is killed after that many calls too, 1 is in the middle of its beginning; 0: it is not. */
  | { readonly type: 'kill keeper'; readonly calls: number; readonly away: number; readonly again: number }
  | { readonly type: 'jump wall'; readonly length: number }
  | { readonly type: 'stall'; readonly length: number }
  | { readonly type: 'blind'; readonly length: number }
  | { readonly type: 'freeze'; readonly pick: number }
  | { readonly type: 'thaw' }
  /** A process of a service says something, whether that makes sense or not. */
  | { readonly type: 'say'; readonly pick: number; readonly what: Saying }
  /** Somebody connects to a socket of a service. */
  | { readonly type: 'connect'; readonly pick: number }
  /** What a process answers from now on. */
  | { readonly type: 'doing'; readonly pick: number; readonly doing: Doing }
  | { readonly type: 'plague'; readonly doing: Doing }
  /** How questions go from now on: so many of a hundred as it says, the others soon. */
  | { readonly type: 'askers'; readonly how: Course['how']; readonly chance: number; readonly most: number }
  | { readonly type: 'hand over'; readonly pick: number; readonly overlap: number }
  | { readonly type: 'pid file'; readonly pick: number; readonly content: string }
  | {
      readonly type: 'change';
      readonly pick: number;
      readonly what: 'description' | 'command' | 'desired' | 'restart rule' | 'coupling' | 'heartbeats';
    }
  | { readonly type: 'remove'; readonly pick: number }
  | { readonly type: 'add back' }
  | { readonly type: 'host'; readonly to: 'booting' | 'up' | 'ending' };

/** A step, and how long the world runs on after it, in milliseconds. */
export type Action = Step & { readonly runs: number };

const endings: readonly Ending[] = [
  'SIGKILL',
  'SIGKILL',
  'SIGTERM',
  'SIGSEGV',
  'SIGABRT',
  'oom',
  'exit 0',
  'exit 1',
  'exit 3',
];
const tempers: readonly Temper[] = [
  'healthy',
  'healthy',
  'missing',
  'busy text',
  'exits at once',
  'fails at once',
  'crashes soon',
  'never ready',
  'ignores TERM',
  'drains',
  'forks',
  'sleeps in the kernel',
  'start fails',
  'start hangs',
  'start finds nothing',
  'start doubles',
  'hooks fail',
  'hooks hang',
  'skipped',
  'slow daemon',
  'does nothing right',
  'hangs soon',
  'cannot be asked',
  'refuses',
  'keeps its state',
  'loses its state',
  'says ready and ends',
  'knows no channel',
  'says nothing',
];
const wishes: readonly Wish[] = [
  'start',
  'start',
  'stop',
  'stop',
  'restart',
  'restart',
  'reload',
  'hold',
  'unhold',
  'unhold',
  'reset',
  'stop for',
  'stop until boot',
  'hold for',
  'signal',
];
const lies = ['exited', 'becameReady', 'emptied', 'spawned', 'answered'] as const;
const sayings: readonly Saying[] = [
  'ready',
  'ready',
  'ready',
  'reloading',
  'stopping',
  'status',
  'status',
  'extend',
  'trigger',
  'store',
  'store',
  'store',
  'remove',
  'wantsState',
  'wantsState',
  'exported',
  'noState',
  'exportFailed',
  'refused',
];
const doings: readonly Doing[] = ['its work', 'wrong', 'wrong', 'hangs', 'unreachable'];
const pidFiles: readonly string[] = ['', 'abc', '0', '1', '2', '50', '99999', '100'];

/** Makes a schedule of that many steps. */
export function schedule(random: Random, steps: number): readonly Action[] {
  return Array.from({ length: steps }, () => ({ ...step(random), runs: pause(random) }));
}

/** Often nothing between two steps, mostly moments, sometimes minutes: all the races and all the deadlines. */
function pause(random: Random): number {
  const r = random.next();
  if (r < 0.25) return 0;
  if (r < 0.55) return random.int(0, 5);
  if (r < 0.75) return random.int(5, 200);
  if (r < 0.93) return random.int(200, 5_000);
  return random.int(5_000, 200_000);
}

function step(random: Random): Step {
  const pick = random.int(0, 1_000_000);
  const weighted: readonly (readonly [number, () => Step])[] = [
    [8, () => ({ type: 'wait' })],
    [22, () => ({ type: 'die', pick, ending: random.pick(endings) })],
    [3, () => ({ type: 'storm', ending: random.pick(endings) })],
    [3, () => ({ type: 'opponent', pick, every: random.pick([3_000, 20_000, 60_000]), times: random.int(2, 8) })],
    [5, () => ({ type: 'stranger', pick, looks: random.chance(0.4) ? 'like it' : 'otherwise' })],
    [3, () => ({ type: 'fill', count: random.int(1, 25) })],
    [14, () => ({ type: 'temper', pick, temper: random.pick(tempers) })],
    [
      4,
      () => ({
        type: 'spawn errors',
        count: random.int(1, 4),
        errno: random.pick(['EMFILE', 'EAGAIN', 'ENOMEM', 'ETXTBSY']),
      }),
    ],
    [24, () => ({ type: 'ask', pick, wish: random.pick(wishes), length: random.int(1, 60_000) })],
    [
      4,
      () => ({
        type: 'ask all',
        picks: Array.from({ length: random.int(2, 4) }, () => random.int(0, 1_000_000)),
        wish: random.pick(['start', 'stop', 'restart', 'restart'] as const),
      }),
    ],
    [5, () => ({ type: 'echo', pick })],
    [5, () => ({ type: 'lie', pick, about: random.pick(lies) })],
    [
      8,
      () => ({
        type: 'kill keeper',
        calls: random.int(0, 12),
        away: random.chance(0.5) ? random.int(0, 20) : random.int(0, 30_000),
        again: random.chance(0.4) ? random.int(1, 20) : 0,
      }),
    ],
    [3, () => ({ type: 'jump wall', length: random.pick([-3_600_000, 3_600_000, 86_400_000, -5, 1]) })],
    [2, () => ({ type: 'stall', length: random.int(1, 60_000) })],
    [2, () => ({ type: 'blind', length: random.int(1, 5_000) })],
    [4, () => ({ type: 'freeze', pick })],
    [16, () => ({ type: 'doing', pick, doing: random.pick(doings) })],
    [8, () => ({ type: 'plague', doing: random.pick(doings) })],
    [
      3,
      () => ({
        type: 'askers',
        how: random.pick(['answered', 'answered', 'lost', 'twice', 'late', 'deaf'] as const),
        chance: random.int(0, 100),
        most: random.pick([10, 1_500, 15_000]),
      }),
    ],
    [2, () => ({ type: 'thaw' })],
    [12, () => ({ type: 'say', pick, what: random.pick(sayings) })],
    [3, () => ({ type: 'connect', pick })],
    [5, () => ({ type: 'hand over', pick, overlap: random.int(0, 500) })],
    [3, () => ({ type: 'pid file', pick, content: random.pick(pidFiles) })],
    [
      5,
      () => ({
        type: 'change',
        pick,
        what: random.pick(['description', 'command', 'desired', 'restart rule', 'coupling', 'heartbeats'] as const),
      }),
    ],
    [2, () => ({ type: 'remove', pick })],
    [3, () => ({ type: 'add back' })],
    [3, () => ({ type: 'host', to: random.pick(['booting', 'up', 'up', 'up', 'ending'] as const) })],
  ];
  let at = random.next() * weighted.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, make] of weighted) {
    at -= weight;
    if (at < 0) return make();
  }
  return { type: 'wait' };
}
