// A program beside the keeper: spoken to, heard, and its end told.

import { readdirSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Companion, companionStarter } from './companion.js';
import { Exits } from './exits.js';
import { probeFeatures } from './features.js';
import { createPump, type Pump } from './pump.js';
import { closeOnExecFrom } from './syscalls.js';

const features = probeFeatures([]);
let pump: Pump;
let exits: Exits;
let started: Companion[];

beforeEach(() => {
  pump = createPump(features, (problem, error) => {
    throw new Error(problem, { cause: error });
  });
  exits = new Exits(pump, features);
  started = [];
});
afterEach(async () => {
  for (const { kill, ended } of started) {
    kill();
    await ended;
  }
  exits.close();
  pump.close();
});

function start(script: string, env: Readonly<Record<string, string>> = {}): Companion {
  const companion = companionStarter(exits, features)({ argv: ['/bin/sh', '-c', script], env });
  started.push(companion);
  return companion;
}

const openPipes = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:');
    } catch {
      return false; // the one that lists them
    }
  }).length;

it('is told what it is told, and says what it says on two pipes', async () => {
  const { input, output, errors, ended } = start('read line; echo "$GREETING $line from $PWD"; echo oh >&2; exit 3', {
    GREETING: 'hello',
  });
  input.write('you\n');
  expect(await Promise.all([text(output), text(errors), ended])).toEqual([
    'hello you from /\n',
    'oh\n',
    { type: 'exited', code: 3 },
  ]);
});

it('hears that nothing more is said', async () => {
  const { input, output } = start('cat; echo over');
  input.end('one\n');
  expect(await text(output)).toBe('one\nover\n');
});

it('has none of our descriptors but its three, and leads a session of its own', async () => {
  // What the runner of tests inherited is not ours.
  closeOnExecFrom(3);
  const { output } = start('ls /proc/self/fd | tr "\\n" " "; cut -d " " -f 1,6 /proc/$$/stat', {
    PATH: '/usr/bin:/bin',
  });
  // ls has one more open: the directory that it lists.
  const [, pid, session] = /^0 1 2 3 (\d+) (\d+)\n$/.exec(await text(output)) ?? [];
  expect(pid).toBeDefined();
  expect(session).toBe(pid);
});

it('is killed at once, also when it is stopped, and once more does no harm', async () => {
  const { pid, kill, ended } = start('kill -STOP $$');
  kill();
  expect(await ended).toEqual({ type: 'signaled', signal: 'SIGKILL', coreDumped: false });
  kill();
  expect(exits.isFollowed(pid)).toBe(false);
});

it('that cannot be started says so, and leaves no pipe open', () => {
  const before = openPipes();
  expect(() => companionStarter(exits, features)({ argv: ['/no/such/program'], env: {} })).toThrow('ENOENT');
  expect(openPipes()).toBe(before);
});
