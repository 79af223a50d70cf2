// What is said to the socket of a service while no keeper lives: it waits in the holder for the next one, unless the keeper
// has ended in order.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serviceName } from '../../src/core/spec.js';
import { discard } from '../../src/kernel/datagram.js';
import { Exits } from '../../src/kernel/exits.js';
import { probeFeatures } from '../../src/kernel/features.js';
import { HeldDescriptors } from '../../src/kernel/held-descriptors.js';
import { NotifySockets } from '../../src/kernel/notify-sockets.js';
import { createPump } from '../../src/kernel/pump.js';
import { prlimit } from '../../src/kernel/syscalls.js';
import { until } from '../support/real-kernel.js';

const features = probeFeatures([]);
const talker = serviceName('talker');
const sender = join(import.meta.dirname, '../support/sd-notify-sender.py');

let home: string;
let heard: string[];
let complaints: string[];
let close: (() => void)[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-notify-'));
  heard = [];
  complaints = [];
  close = [];
});
afterEach(() => {
  for (const one of close.reverse()) one();
  rmSync(home, { recursive: true, force: true });
});

interface Life {
  readonly sockets: NotifySockets;
  readonly held: HeldDescriptors;
  /** Hears no more, as after `kill -9`. */
  readonly die: () => void;
}

function keeper(): Life {
  const fail = (problem: string, error: unknown): void => void complaints.push(`${problem}: ${String(error)}`);
  const pump = createPump(features, fail);
  const exits = new Exits(pump, features);
  const held = new HeldDescriptors({ directory: home, features, exits, report: fail });
  const sockets = new NotifySockets({
    directory: join(home, 'notify'),
    pump,
    held,
    features,
    hear: (service, datagram) => {
      heard.push(`${service}: ${datagram.bytes.toString()} from ${datagram.from?.pid ?? 'nobody'}`);
      discard(datagram);
    },
    complain: (service, reason) => void complaints.push(`${service}: ${reason}`),
    hasRoom: () => true,
  });
  const die = (): void => {
    held.close();
    exits.close();
    pump.close();
  };
  return { sockets, held, die };
}

async function say(text: string): Promise<number | undefined> {
  const steps = JSON.stringify([{ say: text }, { exit: 0 }]);
  const child = spawn('/usr/bin/python3', [sender, steps], {
    env: { NOTIFY_SOCKET: join(home, 'notify/talker') },
    stdio: 'ignore',
  });
  await once(child, 'exit');
  return child.exitCode === 0 ? child.pid : undefined;
}

const NOFILE = 7;

const isRecorded = (): boolean => existsSync(join(home, 'held.json'));

it('is heard by the next keeper, from whoever said it', async () => {
  const first = keeper();
  first.sockets.open(talker);
  await until('it is held', isRecorded);
  first.die();
  const pid = await say('READY=1');
  expect(pid).toBeDefined();
  const next = keeper();
  close.push(
    () => next.die(),
    () => next.held.end(),
    () => next.sockets.release(talker),
  );
  next.sockets.open(talker);
  await until('it is heard', () => heard.length > 0);
  expect(heard).toEqual([`talker: READY=1 from ${pid}`]);
  const later = await say('STATUS=x');
  await until('that too', () => heard.length > 1);
  expect(heard[1]).toBe(`talker: STATUS=x from ${later}`);
  expect(complaints).toEqual([]);
});

it('is refused at once after an orderly end, and heard again by the next keeper', async () => {
  const first = keeper();
  first.sockets.open(talker);
  await until('it is held', isRecorded);
  first.sockets.close();
  first.die();
  expect(await say('READY=1')).toBeUndefined();
  const next = keeper();
  close.push(
    () => next.die(),
    () => next.held.end(),
    () => next.sockets.release(talker),
  );
  next.sockets.open(talker);
  const pid = await say('READY=1');
  await until('it is heard', () => heard.length > 0);
  expect(heard).toEqual([`talker: READY=1 from ${pid}`]);
});

it('goes nowhere any more once the service is gone', async () => {
  const only = keeper();
  close.push(() => only.die());
  only.sockets.open(talker);
  only.sockets.release(talker);
  expect(existsSync(join(home, 'notify/talker'))).toBe(false);
  expect(await say('READY=1')).toBeUndefined();
});

it('has an address that fits, however the service is called', () => {
  const { sockets, die } = keeper();
  close.push(die);
  const long = sockets.pathOf(serviceName('x'.repeat(200)));
  expect(long.length).toBeLessThanOrEqual(107);
  expect(long).not.toBe(sockets.pathOf(serviceName('y'.repeat(200))));
});

it('is dropped whole where the keeper has no room for its descriptors, and leaves none behind (graceful A17)', async () => {
  const { sockets, die } = keeper();
  close.push(die);
  sockets.open(talker);
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  const steps = JSON.stringify([{ say: 'FDSTORE=1', fds: 253 }, { tell: join(home, 'said') }, { exit: 0 }]);
  const child = spawn('/usr/bin/python3', [sender, steps], {
    env: { NOTIFY_SOCKET: join(home, 'notify/talker') },
    stdio: 'ignore',
  });
  const { soft, hard } = prlimit(0, NOFILE, null);
  prlimit(0, NOFILE, { soft: before + 60, hard });
  try {
    await until('it was complained of', () => complaints.length > 0);
  } finally {
    prlimit(0, NOFILE, { soft, hard });
  }
  if (child.exitCode === null) await once(child, 'exit');
  expect(complaints).toEqual(['talker: the keeper has no room for the descriptors that came with it']);
  expect(heard).toEqual([]);
  sockets.release(talker);
  await until('all are closed', () => open() <= before);
});

it('leaves others their turn between two messages with as many descriptors as the kernel allows (graceful A18)', async () => {
  const { sockets, die } = keeper();
  close.push(die);
  sockets.open(talker);
  const steps = JSON.stringify([{ say: 'FDSTORE=1', fds: 253, times: 8 }, { exit: 0 }]);
  const child = spawn('/usr/bin/python3', [sender, steps], {
    env: { NOTIFY_SOCKET: join(home, 'notify/talker') },
    stdio: 'ignore',
  });
  const seen: number[] = [];
  let watching = true;
  const watch = (): void => {
    seen.push(heard.length);
    if (watching) setImmediate(watch);
  };
  watch();
  await until('all are heard', () => heard.length === 8);
  watching = false;
  expect(seen.every((count, i) => count - (seen[i - 1] ?? 0) <= 1)).toBe(true);
  if (child.exitCode === null) await once(child, 'exit');
  sockets.release(talker);
});
