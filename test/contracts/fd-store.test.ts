// The fd store on this machine: real senders, the parser, the rules and the descriptors, and what the next start is passed. What
// follows from a word is the core's; here it is carried out as the core orders it. Cases are those of graceful.md 6.

import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/core/event.js';
import type { ProcessRef } from '../../src/core/process.js';
import type { SocketSpec } from '../../src/core/socket.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { readStat } from '../../src/kernel/identity.js';
import { supervised } from '../support/builders.js';
import { COUNTED, COUNTS, type Step } from '../support/fd-store-sequence.js';
import { exec, makeRealKernel, type RealSubject, spawning } from '../support/real-kernel.js';

const CLIENT = join(import.meta.dirname, '../support/fd-store-client.py');
const WEB = 'web';

let subject: RealSubject;
let client: string;
beforeEach(() => {
  subject = makeRealKernel([]);
  client = join(subject.home, 'client.py');
  copyFileSync(CLIENT, client);
  subject.onEvent((event) => obey(event));
});
afterEach(() => subject.close());

const spec = (more: Partial<ServiceSpec> = {}): ServiceSpec => ({
  ...supervised({ name: WEB }),
  notifyAccess: 'main',
  fdStore: 12,
  ...more,
});

/** As core/notified.ts orders it for a main process. */
function obey(event: Event): void {
  if (event.type !== 'notified') return;
  const { service, sender, batch, says } = event;
  if (says.store === null) return;
  const { name } = says.store;
  if (says.store.type === 'remove') subject.kernel.perform({ type: 'dropKept', service, name });
  else if (batch !== null)
    subject.kernel.perform({
      type: 'keep',
      spec: current,
      process: sender.process,
      as: 'main',
      batch,
      name,
      poll: says.store.poll,
    });
}

let current = spec();
let runs = 0;
let begun = 0;
const ofThisRun = (): readonly Event[] => subject.events.slice(begun);

/** The main process, which does these steps; `next` lets it go on. `around`: what becomes the program. */
function start(
  steps: readonly Step[],
  service = spec(),
  around: readonly string[] = [],
): { readonly process: ProcessRef; readonly directory: string } {
  current = service;
  runs += 1;
  const directory = subject.pathOf('');
  // A file that says "go on" to one run would say it to the next.
  const own = join(directory, `run-${runs}`);
  subject.place(own, 'directory');
  begun = subject.events.length;
  const python = ['/usr/bin/python3', client, own, JSON.stringify(steps)];
  subject.kernel.perform(spawning(service, exec(...around, ...python)));
  const born = ofThisRun().find((event) => event.type === 'spawned');
  if (born?.type !== 'spawned') throw new Error(JSON.stringify([subject.events, subject.reports]));
  return { process: born.process, directory: own };
}

const said = (status: string): boolean =>
  ofThisRun().some((event) => event.type === 'notified' && event.says.status === status);

/** Does all these steps, and tells after each how many descriptors are kept. */
async function counts(
  steps: readonly Step[],
  settled: readonly number[],
  service = spec(),
): Promise<readonly number[]> {
  const { directory } = start(steps, service);
  const seen: number[] = [];
  for (const [i] of steps.entries()) {
    await subject.until(`step ${i} is done`, () => said(String(i)));
    // A hang-up is told by the kernel, in its own time; everything else is done when the next word is heard.
    if (settled.includes(i)) {
      const before = seen.at(-1);
      await subject.until(`what hung up at step ${i} is gone`, () => kept().length !== before);
    }
    seen.push(kept().length);
    writeFileSync(join(directory, `next-${i}`), '');
  }
  return seen;
}

const kept = (): readonly string[] => subject.stored.of(current.name).map(({ name }) => name);
const open = (): number => readdirSync('/proc/self/fd').length;

interface Passed {
  readonly pid: boolean;
  readonly count: string | null;
  readonly max: string | null;
  readonly passed: readonly { readonly name: string; readonly is: string; readonly content: string | null }[];
}

/** What its next start is passed. */
async function passedTo(service = spec()): Promise<Passed> {
  const path = subject.pathOf(`passed-${runs}`);
  start([{ report: path }], service);
  await subject.until('it has looked', () => existsSync(path));
  return JSON.parse(readFileSync(path, 'utf8')) as Passed;
}

async function kill({ process }: { readonly process: ProcessRef }): Promise<void> {
  subject.kill(process, 'SIGKILL');
  await subject.until('it is gone', () => readStat(process.pid)?.startTicks !== process.startTicks);
}

describe('what a service stores', () => {
  it('is counted as systemd 252 counts it, word for word (graceful C2, C3, C4)', async () => {
    expect(await counts(COUNTED, [6])).toEqual(COUNTS);
    expect(kept()).toEqual(['a', 'a', 'stored', 'stored', 'unwatched', 'seventh']);
    // The bad names, and that five of the ten were too many: the service itself is told nothing, and lives.
    expect(subject.complaints).toHaveLength(3);
    expect(subject.complaints[2]).toMatch(/^web: 5 of the 10 descriptors .* store is full \(fdStore: 12\)/);
    expect(subject.reports).toEqual([]);
  });

  it('goes when its other end does, unless it is not to be looked at; devices and files have none (graceful C3)', async () => {
    const before = open();
    const steps: readonly Step[] = [
      { socket: 's', say: 'FDSTORE=1\nFDNAME=s' },
      { device: true, say: 'FDSTORE=1\nFDNAME=null' },
      { event: true, say: 'FDSTORE=1\nFDNAME=event' },
      { socket: 't', say: 'FDSTORE=1\nFDNAME=t\nFDPOLL=0' },
      { hangUp: 's' },
      { hangUp: 't' },
    ];
    expect(await counts(steps, [4])).toEqual([1, 2, 3, 4, 3, 3]);
    subject.kernel.perform({ type: 'emptyStore', service: current.name });
    expect(kept()).toEqual([]);
    await subject.until('all are closed', () => open() <= before + 2);
  });

  it('is nothing where nothing may be stored, and the service is not told (graceful C6)', async () => {
    const none = spec({ fdStore: 0 });
    const { process, directory } = start([{ report: subject.pathOf('begun') }, { files: 3, say: 'FDSTORE=1' }], none);
    await subject.until('it has begun', () => said('0'));
    const before = open();
    // The core orders nothing then: who received them closes them.
    subject.onEvent(() => {});
    writeFileSync(join(directory, 'next-0'), '');
    await subject.until('it has sent them', () => said('1'));
    await subject.until('all are closed', () => open() === before);
    expect(subject.isAlive(process)).toBe(true);
    expect(JSON.parse(readFileSync(subject.pathOf('begun'), 'utf8'))).toMatchObject({ max: null });
  });

  it('is passed after the sockets, each with its name (graceful C7)', async () => {
    const sockets: readonly SocketSpec[] = ['http', 'admin'].map((name) => ({
      name,
      address: { type: 'stream', path: subject.pathOf(`${name}.sock`), mode: 0o600, user: null, group: null },
      backlog: 5,
      lazy: 'no',
      freebind: 'no',
      reusePort: 'no',
    }));
    const service = spec({ sockets });
    subject.kernel.perform({ type: 'prepare', spec: service, generation: 1 });
    await subject.until('its sockets are open', () => subject.events.some(({ type }) => type === 'prepared'));
    const run = start(
      [
        { files: 2, say: 'FDSTORE=1\nFDNAME=st' },
        { fill: 'state', say: 'FDSTORE=1' },
      ],
      service,
    );
    await subject.until('it has begun', () => said('0'));
    writeFileSync(join(run.directory, 'next-0'), '');
    await subject.until('all are kept', () => kept().length === 3);
    await kill(run);
    const { pid, count, passed } = await passedTo(service);
    expect({ pid, count }).toEqual({ pid: true, count: '5' });
    expect(passed).toEqual([
      { name: 'http', is: 'socket', content: null },
      { name: 'admin', is: 'socket', content: null },
      { name: 'st', is: '/memfd', content: '' },
      { name: 'st', is: '/memfd', content: '' },
      { name: 'stored', is: '/memfd', content: 'state' },
    ]);
    subject.kernel.perform({ type: 'closeSockets', spec: service });
  });

  it('is passed under its name to the next start, with what is in it (graceful C1)', async () => {
    const run = start([{ fill: 'state', say: 'FDSTORE=1\nFDNAME=memory' }, { say: 'X_NOTHING=1' }]);
    await subject.until('it is kept', () => kept().length === 1);
    await kill(run);
    expect(await passedTo()).toEqual({
      pid: true,
      count: '1',
      max: '12',
      passed: [{ name: 'memory', is: '/memfd', content: 'state' }],
    });
  });

  it.skipIf(process.geteuid?.() !== 0)(
    'is no file of a file system that the service alone sees: whoever answers for that could hold up all who have it',
    async () => {
      const place = subject.pathOf('mounted');
      subject.place(place, 'directory');
      const mounting = `mount -t tmpfs none '${place}' && exec "$@"`;
      const steps = [
        { open: subject.pathOf('plain'), say: 'FDSTORE=1\nFDNAME=plain' },
        { open: join(place, 'x'), say: 'FDSTORE=1\nFDNAME=strange' },
      ];
      const { directory } = start(steps, spec(), ['/usr/bin/unshare', '-m', '/bin/sh', '-c', mounting, 'sh']);
      for (const i of [0, 1]) {
        await subject.until(`step ${i} is done`, () => said(String(i)));
        writeFileSync(join(directory, `next-${i}`), '');
      }
      expect(kept()).toEqual(['plain']);
      expect(subject.complaints).toEqual([
        expect.stringMatching(/^web: .* as strange was closed: a file behind which/),
      ]);
    },
  );

  it('is taken over by the next keeper, and from it by the next start (graceful C9)', async () => {
    const run = start([{ fill: 'state', say: 'FDSTORE=1\nFDNAME=memory' }]);
    await subject.until('it is kept', () => kept().length === 1);
    subject.succeed();
    expect(kept()).toEqual(['memory']);
    await kill(run);
    expect((await passedTo()).passed).toEqual([{ name: 'memory', is: '/memfd', content: 'state' }]);
  });

  it('leaves nothing open when the service sends 10,000 messages, whatever is in them', async () => {
    const { directory } = start([{ report: subject.pathOf('begun') }, { flood: 10_000 }]);
    await subject.until('it has begun', () => said('0'));
    const before = open();
    writeFileSync(join(directory, 'next-0'), '');
    await subject.until('all is said', () => said('1'));
    expect(kept().length).toBeLessThanOrEqual(12);
    subject.kernel.perform({ type: 'emptyStore', service: current.name });
    await subject.until('all are closed', () => open() === before);
    expect(subject.reports).toEqual([]);
  });
});
