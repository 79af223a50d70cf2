// A program of our own that runs beside the keeper and is spoken to, like the courier. Started as services are, because
// child_process forks, and holds the loop while our page tables are copied (2 ms at 50 MB, 13 ms at 150 MB). Owns its pipes
// until they are handed out. It must not know what is said.

import { Socket } from 'node:net';
import type { ExitStatus } from '../core/process.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import { nameChild } from './identity.js';
import { spawnProcess } from './posix-spawn.js';
import { signalProcess } from './signals.js';
import { openQuietly, refuseWithoutRoom } from './spawn.js';
import { close, pipe, SystemCallFailure } from './syscalls.js';

export interface Companion {
  readonly pid: number;
  readonly input: Socket;
  readonly output: Socket;
  readonly errors: Socket;
  /** Never rejects; never settles once the kernel layer is closed. What it said last may come after its end. */
  readonly ended: Promise<ExitStatus>;
  /** At once. Who is gone needs none. */
  readonly kill: () => void;
}

export interface CompanionProgram {
  /** The first is the program, absolute. */
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** In `/`, in a session of its own. @throws Error: it could not be started */
export type StartCompanion = (program: CompanionProgram) => Companion;

export const companionStarter =
  (exits: Exits, features: Features): StartCompanion =>
  (program) => {
    // It is not what the last descriptors are for.
    const refused = refuseWithoutRoom('first');
    if (refused !== null) throw new Error(refused.detail);
    const { pid, input, output, errors } = spawnWithPipes(program);
    const pidfd = openQuietly(pid, features);
    const process = nameChild(pid, pidfd, features);
    return {
      pid,
      input: new Socket({ fd: input, readable: false, writable: true }),
      output: new Socket({ fd: output, readable: true, writable: false }),
      errors: new Socket({ fd: errors, readable: true, writable: false }),
      ended: new Promise((resolve) => {
        // The pump is no turn of Node's: what waits for a promise would wait for the next one.
        exits.follow('companion', process, ({ status }) => setImmediate(resolve, status), { pidfd });
      }),
      kill: () => void signalProcess(process, 'SIGKILL', features),
    };
  };

interface WithPipes {
  readonly pid: number;
  /** Our ends. */
  readonly input: number;
  readonly output: number;
  readonly errors: number;
}

function spawnWithPipes({ argv, env }: CompanionProgram): WithPipes {
  const opened: number[] = [];
  const open = (): readonly [number, number] => {
    const ends = pipe();
    opened.push(...ends);
    return ends;
  };
  try {
    const [input, ourInput] = open();
    const [ourOutput, output] = open();
    const [ourErrors, errors] = open();
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const done = spawnProcess({ path: argv[0], argv, env: words, cwd: '/', input, output, errors, passed: [] });
    if (done.type === 'failed') throw new SystemCallFailure('posix_spawn', done.errno, argv[0]);
    for (const theirs of [input, output, errors]) close(theirs);
    return { pid: done.pid, input: ourInput, output: ourOutput, errors: ourErrors };
  } catch (error) {
    for (const fd of opened) close(fd);
    throw error;
  }
}
