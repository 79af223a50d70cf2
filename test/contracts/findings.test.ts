// What is found of an end beside its status, as the real kernel tells it: faults, kills for want of memory, core dumps,
// codes that only look like signals. Each rung leaves out a source. Faults and OOM kills of others meanwhile are theirs.

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deathOf, describeDeath } from '../../src/core/death.js';
import type { ExitEvidence, ProcessRef } from '../../src/core/process.js';
import type { Command, ProcessSettings } from '../../src/core/spec.js';
import { instant, wallTime } from '../../src/core/time.js';
import { supervised } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning } from '../support/real-kernel.js';
import { mountTracefs } from '../support/tracefs.js';

const tracefs = mountTracefs();
/** Reads at address 1, or at one that no program may have: the kernel says "general protection" there. */
const readAt = (address: string): string => `exec perl -e 'my $x = unpack("P1", pack("J", ${address}))'`;
const segfault = sh(`ulimit -c 0; ${readAt('1')}`);
const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
const isX86 = process.arch === 'x64';

let subject: RealSubject;

function start(command: Command, settings: Partial<ProcessSettings> = {}): ProcessRef {
  const spec = supervised();
  const changed = { ...spec, settings: { ...spec.settings, ...settings } };
  subject.kernel.perform(spawning(changed, command));
  const born = subject.events.findLast((event) => event.type === 'spawned');
  if (born?.type !== 'spawned') throw new Error('it did not start');
  return born.process;
}

async function endOf(ref: ProcessRef): Promise<ExitEvidence> {
  const find = () => subject.events.find((event) => event.type === 'exited' && event.process === ref);
  await subject.until('it has ended', () => find() !== undefined);
  const found = find();
  if (found?.type !== 'exited') throw new Error('unreachable');
  return found.evidence;
}

/** The sentence that people read. */
function said(ref: ProcessRef, evidence: ExitEvidence): string {
  const now = { instant: instant(0), wall: wallTime(0), random: 0 };
  return describeDeath(deathOf(ref, evidence, 'none', { startedAt: null, readySince: null }, 'no', now));
}

const RUNGS: readonly (readonly [name: string, without: readonly string[]])[] = [
  ['all sources', []],
  ['without tracefs', ['tracefs']],
  ['without the kernel’s log', ['kmsg']],
  ['without both', ['tracefs', 'kmsg']],
];

describe.each(RUNGS)('an end (%s)', (_, without) => {
  const can = { trace: 'no', log: 'no' };
  beforeEach(() => {
    subject = makeRealKernel(without);
    can.trace = subject.features.tracefs;
    can.log = subject.features.kmsg;
  });
  afterEach(() => subject.close());

  it('by a fault is told with its kind and, where the log is for us, its place (monitors 33)', async () => {
    const ref = start(segfault);
    const evidence = await endOf(ref);
    expect(evidence).toMatchObject({ status: { type: 'signaled', signal: 'SIGSEGV' }, oom: false, by: null });
    const { findings } = evidence;
    // The kernel says so of ten faults in five seconds at most, where it is not told to be silent.
    if (can.log === 'yes' && isX86 && findings?.fault?.source === 'kernel-log') {
      expect(findings.fault).toMatchObject({
        kind: 'segfault',
        address: '0x1',
        instruction: expect.stringMatching(/^0x/),
      });
      expect(said(ref, evidence)).toMatch(/^killed by SIGSEGV: segfault at 0x1 in \S+$/);
    } else if (can.trace === 'yes') {
      expect(findings?.fault).toMatchObject({ kind: 'segfault', address: null, source: 'trace' });
      expect(said(ref, evidence)).toBe('killed by SIGSEGV: segfault');
    } else expect(said(ref, evidence)).toBe('killed by SIGSEGV');
    if (can.trace === 'yes') expect(findings?.sentAt).toBeLessThanOrEqual(Number(process.hrtime.bigint()) / 1e6);
  });

  it('by another trap is told by its own name', async () => {
    if (!isX86) return;
    const { status, findings } = await endOf(start(sh(`ulimit -c 0; ${readAt('0x4141414141414141')}`)));
    expect(status).toMatchObject({ signal: 'SIGSEGV' });
    if (can.trace === 'yes' || findings?.fault != null) expect(findings?.fault?.kind).toBe('general protection fault');
  });

  it('by the same signal from somebody’s hand is no fault', async () => {
    const { status, findings } = await endOf(start(sh('ulimit -c 0; kill -SEGV $$')));
    expect(status).toMatchObject({ signal: 'SIGSEGV' });
    expect(findings?.fault ?? null).toBeNull();
    expect(findings?.sentAt ?? null).toEqual(can.trace === 'yes' ? expect.any(Number) : null);
  });

  it('with a code that looks like a signal is an exit with that code, and no want of memory (monitors 33)', async () => {
    for (const code of [137, 139]) {
      const ref = start(exec('/bin/sh', '-c', `exit ${code}`));
      const evidence = await endOf(ref);
      expect(evidence).toMatchObject({ status: { type: 'exited', code }, oom: false, by: null });
      expect([evidence.findings?.fault ?? null, evidence.findings?.oomKill ?? null]).toEqual([null, null]);
      expect(said(ref, evidence)).toBe(`exited with code ${code}`);
    }
  });

  it('by SIGKILL alone is no want of memory (monitors 33)', async () => {
    const ref = start(exec('/bin/sleep', '600'));
    subject.kill(ref, 'SIGKILL');
    const evidence = await endOf(ref);
    expect([evidence.oom, evidence.findings?.oomKill ?? null]).toEqual([false, null]);
    expect(said(ref, evidence)).toBe('killed by SIGKILL');
  });

  it('for want of memory names the group, its limit and what it held, as far as its sources do', async (context) => {
    if (subject.enforcesMemory === 'no') context.skip('no memory controller here');
    const limit = 32 * 2 ** 20;
    // Not before the group has taken it in: see docs/decisions/0001.
    const ref = start(sh('sleep 2; exec tail /dev/zero'), { memory: limit });
    const evidence = await endOf(ref);
    expect(evidence).toMatchObject({ oom: true, by: null, status: { type: 'signaled', signal: 'SIGKILL' } });
    const kill = evidence.findings?.oomKill;
    const source = can.trace === 'yes' ? 'trace' : can.log === 'yes' ? 'kernel-log' : 'counter';
    expect(kill?.source).toBe(source);
    if (source !== 'counter') expect(kill?.held).toBeGreaterThan(limit / 2);
    if (source === 'counter' || can.log === 'yes') {
      expect(kill).toMatchObject({ scope: 'group', group: expect.stringMatching(/\/web\.service$/), limit });
      expect(said(ref, evidence)).toMatch(
        /^killed by the kernel: out of memory \(group \S+, limit 32 MiB(, it held \S+ MiB)?\)$/,
      );
    }
  });

  it('with a core says where that was written to', async () => {
    const ref = start(sh('cd "$1"; ulimit -c unlimited; kill -QUIT $$', subject.home));
    const { status, findings } = await endOf(ref);
    if (status.type !== 'signaled' || !status.coreDumped) return; // the host wants none
    expect(findings?.core).not.toBeNull();
    if (/^[|@]/.test(pattern)) expect(findings?.core).toMatchObject({ path: null, handler: expect.any(String) });
    else expect(findings?.core).toMatchObject({ path: expect.any(String), handler: null });
    // Where it worked is seen at the note of its signal, if that was read before it was gone.
    const path = findings?.core?.path ?? '';
    if (pattern === 'core') expect(['core', `${subject.home}/core`]).toContain(path.replace(/\.\d+$/, ''));
  });
});

describe.skipIf(tracefs === 'no')('a fault of a thread', () => {
  it('is told with the end of its process', async () => {
    subject = makeRealKernel([]);
    const program = [
      'import ctypes, threading',
      't = threading.Thread(target=lambda: ctypes.string_at(0)); t.start(); t.join()',
    ].join('\n');
    const ref = start(sh('ulimit -c 0; exec python3 -c "$1"', program));
    const evidence = await endOf(ref);
    if (evidence.status.type === 'signaled') {
      // Its thread may be gone before we can ask whose it was.
      console.info(`the fault of a thread: ${said(ref, evidence)}`);
      expect(evidence.status.signal).toBe('SIGSEGV');
    }
    await subject.close();
  });
});
