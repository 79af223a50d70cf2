// What reaches the keeper of what services say by sd_notify, and from whom: the kernel layer with the parser, real senders,
// on each rung on which the sender is found by other means. What follows from a word is the core's.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../src/core/event.js';
import { isSameProcess, type ProcessRef } from '../../src/core/process.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { millis } from '../../src/core/time.js';
import { close } from '../../src/kernel/syscalls.js';
import { supervised } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning, written } from '../support/real-kernel.js';

type Notified = Extract<ServiceEvent, { type: 'notified' }>;
type Step = Readonly<Record<string, unknown>>;

const SENDER = join(import.meta.dirname, '../support/sd-notify-sender.py');

const RUNGS: readonly (readonly [name: string, without: readonly string[]])[] = [
  ['all features', []],
  ['before 6.15: no PIDFD_GET_INFO', ['pidfdInfo']],
  ['Debian 12’s 6.1', ['pidfdInfo', 'pidfdInode', 'passPidfd']],
  ['no control groups', ['cgroup']],
  ['no uv_poll', ['uvPoll']],
  ['before 5.3: no pidfd', ['pidfd']],
];

describe.each(RUNGS)('what a service says by sd_notify (%s)', (_, without) => {
  let subject: RealSubject;
  let sender: string;
  beforeEach(() => {
    subject = makeRealKernel(without);
    // Where a service of another user can read it.
    sender = join(subject.home, 'sender.py');
    copyFileSync(SENDER, sender);
  });
  afterEach(() => subject.close());

  const spec = (more: Partial<ServiceSpec> = {}): ServiceSpec => ({
    ...supervised({ name: 'talker' }),
    notifyAccess: 'all',
    ...more,
  });
  const heard = (): readonly Notified[] => subject.events.filter((event) => event.type === 'notified');
  const statuses = (): readonly (string | null)[] => heard().map(({ says }) => says.status);

  function mainOf(name: string): ProcessRef {
    for (const event of [...subject.events].reverse())
      if (event.type === 'spawned' && event.service === name && event.role === 'main') return event.process;
    throw new Error(`${name} was not started: ${JSON.stringify(subject.events)}`);
  }

  /** A main process that says all this, and then sleeps. */
  function start(steps: readonly Step[], service = spec()): ProcessRef {
    subject.kernel.perform(spawning(service, exec('/usr/bin/python3', sender, JSON.stringify(steps))));
    return mainOf(service.name);
  }

  /** Until that status is there: what was sent before it is, or never comes. */
  const untilSaid = (status: string): Promise<void> =>
    subject.until(`"${status}" is heard; complaints: ${subject.complaints.join('; ')}`, () =>
      statuses().includes(status),
    );

  it('is from its main process', async () => {
    const main = start([{ say: 'READY=1\nSTATUS=up' }]);
    await untilSaid('up');
    expect(heard()).toMatchObject([{ service: 'talker', says: { ready: 'yes', status: 'up' }, batch: null }]);
    const [{ sender } = { sender: null }] = heard();
    expect(sender).toMatchObject({ uid: process.geteuid?.(), isMember: 'yes', kinOf: main });
    expect(sender !== null && isSameProcess(sender.process, main)).toBe(true);
  });

  it('is from a child of it, and from one that has begun a session of its own', async () => {
    const main = start([
      { fork: [{ say: 'STATUS=child' }, { fork: [{ say: 'STATUS=grandchild' }], session: true }] },
      { say: 'STATUS=end' },
    ]);
    await untilSaid('end');
    expect(statuses()).toEqual(['child', 'grandchild', 'end']);
    for (const { sender } of heard()) expect(sender).toMatchObject({ isMember: 'yes', kinOf: main });
    expect(new Set(heard().map(({ sender }) => sender.process.pid)).size).toBe(3);
  });

  it.runIf(process.geteuid?.() === 0)('is from a service of another user, and from a child of it', async () => {
    const script = 'systemd-notify --status=other || exit 1; exec sleep 600';
    const { settings } = spec();
    subject.kernel.perform(spawning(spec({ settings: { ...settings, user: 'nobody' } }), sh(script)));
    await untilSaid('other');
    expect(heard()[0]?.sender).toMatchObject({ uid: 65534, isMember: 'yes', kinOf: mainOf('talker') });
    expect(heard()[0]?.sender.process.pid).not.toBe(mainOf('talker').pid);
  });

  it('is heard from the main process also when that has ended at once', async () => {
    const ended = (): boolean => subject.events.some(({ type }) => type === 'exited');
    const main = start([{ say: 'STATUS=farewell' }, { exit: 3 }]);
    await subject.until('it has ended', ended);
    const order = subject.events.filter(({ type }) => type === 'notified' || type === 'exited');
    expect(order).toMatchObject([
      { type: 'notified', says: { status: 'farewell' }, sender: { kinOf: main } },
      { type: 'exited' },
    ]);
  });

  it('waits until somebody comes to hear it', async () => {
    const main = start([{ tell: subject.pathOf('begun') }, { say: 'STATUS=first' }]);
    await written(subject.pathOf('begun'));
    await untilSaid('first');
    expect(heard()[0]?.sender.kinOf).toEqual(main);
  });

  it('is answered where systemd-notify waits for that (graceful A2)', async () => {
    const path = subject.pathOf('code');
    const main = spawning(
      spec(),
      sh('systemd-notify --ready --status=shell; echo $? > "$1.new"; mv "$1.new" "$1"; sleep 600', path),
    );
    subject.kernel.perform(main);
    expect(await written(path)).toBe('0\n');
    expect(heard()).toMatchObject([{ says: { ready: 'yes', status: 'shell' }, sender: { kinOf: mainOf('talker') } }]);
    expect(subject.complaints).toEqual([]);
  });

  it('is nothing where the sender says nothing (graceful A5)', async () => {
    subject.kernel.perform(
      spawning(spec(), sh('systemd-notify --no-block ""; systemd-notify --status=after; sleep 600')),
    );
    await untilSaid('after');
    expect(heard()).toHaveLength(1);
    expect(subject.complaints).toEqual([]);
  });

  it('is dropped where it is broken, with a reason, and the next is heard (graceful A3, A4, A5)', async () => {
    start([
      { say: 'STATUS=one\r\nSTATUS=two\r\n STATUS=three' },
      { say: `STATUS=long\nX_FILL=${'x'.repeat(5000)}` },
      { say: `STATUS=fits\nX_FILL=${'x'.repeat(4096 - 19)}` },
      { say: 'STATUS=zero\0READY=1' },
      { say: 'STATUS=c string\0' },
      { say: 'STATUS=\xff\xfe' },
      { say: '' },
      { say: 'STATUS=end' },
    ]);
    await untilSaid('end');
    expect(statuses()).toEqual(['one', 'fits', 'c string', '', 'end']);
    expect(subject.complaints).toEqual([
      expect.stringContaining('talker: what it said by sd_notify was dropped: it is longer than 4096 bytes'),
      expect.stringContaining('zero byte'),
    ]);
  });

  it('is not heard beside a barrier, but the barrier is answered (graceful A6)', async () => {
    start([
      { barrier: subject.pathOf('mixed'), with: 'BARRIER=1\nSTATUS=beside' },
      { say: 'BARRIER=1' },
      { say: 'BARRIER=1', fds: 2 },
      { barrier: subject.pathOf('alone') },
      { say: 'STATUS=end' },
    ]);
    await untilSaid('end');
    expect(await written(subject.pathOf('mixed'))).toBe('heard\n');
    expect(await written(subject.pathOf('alone'))).toBe('heard\n');
    expect(statuses()).toEqual(['end']);
    expect(subject.complaints).toHaveLength(3);
  });

  it('is not heard from a process of no service (graceful A7)', async () => {
    start([{ say: 'STATUS=begun' }]);
    await untilSaid('begun');
    const stranger = spawn('/usr/bin/python3', [sender, '[{"say": "READY=1\\nSTATUS=stranger"}, {"exit": 0}]'], {
      env: { NOTIFY_SOCKET: subject.pathOf('notify/talker') },
      detached: true,
    });
    await once(stranger, 'exit');
    await subject.until('it was complained of', () => subject.complaints.length > 0);
    expect(subject.complaints).toEqual([expect.stringMatching(/^talker: .* dropped: it is from process \d+/)]);
    expect(statuses()).toEqual(['begun']);
  });

  it('leaves no descriptor behind, whatever comes with it (graceful A17)', async () => {
    const hostile = [
      { say: 'STATUS=x', fds: 3, times: 100 },
      { say: 'FDSTORE=1\nFDNAME=y', fds: 253, times: 20 },
      { say: 'FDSTOREREMOVE=1\nFDSTORE=1\nFDNAME=y', fds: 2, times: 100 },
      { say: 'BARRIER=1', fds: 2, times: 100 },
      { say: 'MAINPIDFD=1', fds: 1, times: 100 },
      { say: 'READY=1\0\0', fds: 5, times: 100 },
      { say: `X=${'x'.repeat(5000)}`, fds: 1, times: 100 },
      { say: '', fds: 1, times: 100 },
    ];
    const count = 10_000;
    start([{ say: 'STATUS=begun' }, ...hostile, { say: 'WATCHDOG=x', times: count }, { say: 'STATUS=end' }]);
    await untilSaid('begun');
    const before = openDescriptors();
    await untilSaid('end');
    await subject.until('all are closed', () => openDescriptors() === before);
  });

  it('leaves another service its turn, however much it is (graceful A18)', async () => {
    const count = 20_000;
    start([{ tell: subject.pathOf('flood') }, { say: 'STATUS=flood', times: count }, { say: 'STATUS=ebb' }]);
    await untilSaid('flood');
    start([{ say: 'READY=1\nSTATUS=calm' }], { ...spec(), ...supervised({ name: 'calm' }), notifyAccess: 'main' });
    await untilSaid('calm');
    // Between the first and the last word of the other.
    expect(statuses()).not.toContain('ebb');
    await untilSaid('ebb');
    // None lost: whoever speaks faster than we hear waits.
    expect(statuses().filter((status) => status === 'flood')).toHaveLength(count);
  });

  describe('that another process is the main one', () => {
    it('is looked up, also by a descriptor of it', async () => {
      const main = start([{ pidfd: null }, { say: 'STATUS=end' }]);
      await untilSaid('end');
      const named = heard()[0]?.says.main;
      if (named == null) throw new Error(JSON.stringify(subject.complaints));
      expect(named.pid).not.toBe(main.pid);
      expect(subject.isAlive(named)).toBe(true);
    });

    it('is refused for who cannot be one (graceful A9)', async () => {
      const dead = spawn('/bin/true');
      await once(dead, 'exit');
      const claims = ['0', '1', String(process.pid), String(dead.pid), 'x'];
      start([
        ...claims.map((pid) => ({ say: `MAINPID=${pid}` })),
        { say: 'MAINPIDFD=1', fds: 1 },
        { say: 'STATUS=end' },
      ]);
      await untilSaid('end');
      expect(heard().map(({ says }) => says.main)).toEqual(Array(7).fill(null));
      expect(subject.complaints.filter((text) => text.includes('is not believed: '))).toHaveLength(6);
    });

    it.runIf(process.geteuid?.() === 0)('is believed of root alone for one of elsewhere (graceful A9)', async () => {
      const { pid, startTicks } = await subject.stranger();
      const steps = [{ say: `MAINPID=${pid}` }, { say: 'STATUS=end' }];
      start(steps);
      await untilSaid('end');
      expect(heard()[0]?.says.main).toMatchObject({ pid, startTicks });
      const { settings } = spec();
      start(steps, { ...supervised({ name: 'low' }), notifyAccess: 'all', settings: { ...settings, user: 'nobody' } });
      await subject.until('the other has said all', () => statuses().filter((text) => text === 'end').length === 2);
      expect(heard()[2]).toMatchObject({ service: 'low', says: { main: null } });
      expect(subject.complaints.join()).toContain(`not believed: process ${pid} does not belong to the service`);
    });
  });

  describe('with descriptors to be kept', () => {
    it('brings them to whoever claims them in time', async () => {
      start([{ store: 'FDSTORE=1\nFDNAME=memory', content: 'state' }, { say: 'STATUS=end' }]);
      let claimed: readonly number[] = [];
      subject.onEvent((event) => {
        if (event.type === 'notified' && event.batch !== null) claimed = subject.batches.claim(event.batch);
      });
      await untilSaid('end');
      const [fd] = claimed;
      if (fd === undefined) throw new Error(JSON.stringify(heard()));
      expect(heard()[0]).toMatchObject({ says: { store: { type: 'store', name: 'memory', poll: 'yes' } } });
      expect(readlinkSync(`/proc/self/fd/${fd}`)).toContain('memfd:kept');
      expect(fstatSync(fd).size).toBe('state'.length);
      close(fd);
    });

    it('loses them to nobody: unclaimed ones are closed', async () => {
      start([{ say: 'STATUS=begun' }, { store: 'FDSTORE=1', content: 'state' }, { say: 'STATUS=end' }]);
      await untilSaid('end');
      await subject.until('it is closed', () => !openFiles().some((path) => path.includes('memfd:kept')));
    });
  });

  describe('where it is told how', () => {
    const environment = async (more: Partial<ServiceSpec>, role: 'main' | 'afterStart'): Promise<string> => {
      const path = subject.pathOf(`env-${role}`);
      const command = sh('env | sort > "$1.new"; mv "$1.new" "$1"; sleep 600', path);
      subject.kernel.perform(spawning(spec(more), command, { role }));
      return written(path);
    };

    it.each([
      ['none', 'main', false],
      ['main', 'main', true],
      ['main', 'afterStart', false],
      ['exec', 'afterStart', true],
      ['all', 'afterStart', true],
    ] as const)('is by the access %s, for %s: %s (graceful A8)', async (notifyAccess, role, isTold) => {
      const env = await environment({ notifyAccess }, role);
      expect(env.includes(`NOTIFY_SOCKET=${subject.pathOf('notify/talker')}\n`)).toBe(isTold);
    });

    it('is how often, and how much is kept, for the main process alone', async () => {
      const more = { watchdog: millis(1500), fdStore: 4 };
      expect(await environment(more, 'main')).toMatch(/^FDSTORE=4\n(?:.*\n)*WATCHDOG_USEC=1500000\n/m);
      expect(await environment(more, 'afterStart')).not.toMatch(/FDSTORE|WATCHDOG/);
    });
  });

  it('goes to a socket that everybody may write to, and that stays over restarts', async () => {
    start([{ say: 'STATUS=first' }, { exit: 0 }]);
    await untilSaid('first');
    const path = subject.pathOf('notify/talker');
    const before = statSync(path);
    expect(before.mode & 0o777).toBe(0o666);
    expect(statSync(subject.pathOf('notify')).mode & 0o777).toBe(0o755);
    start([{ say: 'STATUS=second' }]);
    await untilSaid('second');
    expect(statSync(path).ino).toBe(before.ino);
  });

  it('does not make a service wait when the keeper has left', async () => {
    start([{ say: 'STATUS=before' }, { tell: subject.pathOf('talking') }]);
    await untilSaid('before');
    subject.succeed();
    // Nobody has asked for that socket yet: it is refused at once.
    const late = spawn('/usr/bin/python3', [sender, '[{"say": "STATUS=late", "times": 100}, {"exit": 0}]'], {
      env: { NOTIFY_SOCKET: subject.pathOf('notify/talker') },
    });
    const [code] = await once(late, 'exit');
    expect(code).not.toBe(0);
    expect(readFileSync(subject.pathOf('talking'), 'utf8')).toMatch(/^\d+\n$/);
  });
});

const openFiles = (): readonly string[] =>
  readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the listing's own
    }
  });

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
