// The keeper's place in tracefs, which is the machine's: other keepers and other tracers are there too. Needs root and
// tracefs; where they are not, it says so and is skipped.

import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { close } from '../../src/kernel/syscalls.js';
import { instanceName, openTraceInstance, type TraceInstance } from '../../src/kernel/trace-instance.js';
import { parseTrace } from '../../src/kernel/trace-line.js';
import { until } from '../support/real-kernel.js';
import { mountTracefs } from '../support/tracefs.js';

const tracefs = mountTracefs();
const INSTANCES = '/sys/kernel/tracing/instances';

let runtime: string;
let name: string;
let opened: TraceInstance[];
beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), 'upkeep-trace-'));
  name = instanceName(runtime);
  opened = [];
});
afterEach(() => {
  for (const instance of opened) instance.close();
  rmSync(runtime, { recursive: true, force: true });
});

function openOne(which = name): TraceInstance {
  const instance = openTraceInstance(which);
  if (instance === null) throw new Error('no instance');
  opened.push(instance);
  return instance;
}

const names = (): readonly string[] => readdirSync(INSTANCES).filter((one) => one.startsWith(name));

/** Somebody kills a process of his own. */
function killOne(): number {
  const { stdout } = spawnSync('/bin/bash', ['-c', 'sleep 600 & kill -9 $!; echo $!; wait'], { encoding: 'utf8' });
  return Number(stdout);
}

const targets = (instance: TraceInstance): readonly number[] =>
  parseTrace(instance.read()).flatMap((record) => (record.type === 'signalled' ? [record.target] : []));

describe.skipIf(tracefs === 'no')('an instance', () => {
  it('is named by the runtime directory, and gone when it is closed', () => {
    const instance = openOne();
    expect(names()).toEqual([`upkeep.${encodeURIComponent(runtime)}`]);
    const pid = killOne();
    expect(targets(instance)).toContain(pid);
    instance.close();
    opened = [];
    expect(names()).toEqual([]);
  });

  it('of a keeper that was killed is taken over with what was noted since, not made a second time', () => {
    const dead = openOne();
    opened = [];
    close(dead.fd);
    const pid = killOne();
    expect(targets(openOne())).toContain(pid);
    expect(names()).toHaveLength(1);
  });

  it('belongs to one keeper at a time: another with the same path, in another root, gets its own', () => {
    const first = openOne();
    const second = openOne();
    expect(names()).toHaveLength(2);
    const pid = killOne();
    expect([targets(first), targets(second)]).toEqual([expect.arrayContaining([pid]), expect.arrayContaining([pid])]);
  });

  it('of a killed keeper whose directory is gone is removed by the next one, of whatever directory', () => {
    const lost = mkdtempSync(join(tmpdir(), 'upkeep-trace-lost-'));
    const living = openOne(instanceName(lost));
    const dead = openOne(instanceName(join(lost, 'dead')));
    opened = [living];
    rmSync(lost, { recursive: true });
    close(dead.fd);
    openOne();
    const left = readdirSync(INSTANCES);
    // Its keeper reads it, and has another root perhaps.
    expect(left).toContain(instanceName(lost));
    expect(left).not.toContain(instanceName(join(lost, 'dead')));
  });

  it('has a name that fits, whatever the path', () => {
    const long = `/${'very-long/'.repeat(60)}`;
    expect(instanceName(long).length).toBeLessThan(255);
    expect(instanceName(long)).not.toBe(instanceName(`${long}x`));
    const instance = openOne(instanceName('/a b/ü%2F"'));
    expect(existsSync(`${INSTANCES}/upkeep.%2Fa%20b%2F%C3%BC%252F%22`)).toBe(true);
    instance.close();
    opened = [];
  });

  it('leaves other tracers as they are: their settings, their events and what they have recorded', () => {
    const other = `${INSTANCES}/somebody-${process.pid}`;
    const get = (file: string): string => readFileSync(`${other}/${file}`, 'utf8').trim();
    const set = (file: string, value: string): void => writeFileSync(`${other}/${file}`, value);
    mkdirSync(other);
    try {
      set('trace_clock', 'mono');
      set('buffer_size_kb', '32');
      set('events/signal/signal_generate/filter', 'sig==9');
      set('events/signal/signal_generate/enable', '1');
      const settings = () =>
        ['trace_clock', 'buffer_size_kb', 'events/signal/signal_generate/filter', 'events/oom/mark_victim/enable'].map(
          get,
        );
      const before = settings();
      const first = killOne();
      const instance = openOne();
      const second = killOne();
      expect(targets(instance)).toContain(second);
      instance.close();
      opened = [];
      const third = killOne();
      expect(settings()).toEqual(before);
      const recorded = parseTrace(`${get('trace')}\n`).flatMap((one) => (one.type === 'signalled' ? [one.target] : []));
      expect(recorded).toEqual(expect.arrayContaining([first, second, third]));
    } finally {
      set('events/enable', '0');
      rmdirSync(other);
    }
  });
});

// A keeper in a process of its own, so that its processor time is its own.
const LISTENER = fileURLToPath(new URL('../support/trace-listener.mjs', import.meta.url));

describe.skipIf(tracefs === 'no' || !existsSync(new URL('../../dist/kernel/killers.js', import.meta.url)))(
  'a storm of signals between processes that nobody follows',
  () => {
    it('costs the keeper little, whoever makes it', async () => {
      const listener = spawn(process.execPath, [LISTENER, runtime], { stdio: ['pipe', 'pipe', 'inherit'] });
      let said = '';
      listener.stdout.on('data', (data) => {
        said += String(data);
      });
      await until('it listens', () => said.includes('listening'));
      // A million signals a second, to somebody who hears them, from all processors that there are.
      const storm = spawn(
        '/usr/bin/perl',
        ['-e', '$SIG{TERM} = sub {}; fork; $0 = "\\n" x 15; while (1) { kill TERM => $$ }'],
        { stdio: 'ignore', detached: true },
      );
      try {
        await new Promise((resolve) => setTimeout(resolve, 3000)); // as long as it is measured
        listener.stdin.write('how much?\n');
        await until('it has answered', () => said.includes('share'));
      } finally {
        process.kill(-(storm.pid ?? 0), 'SIGKILL');
        listener.stdin.end();
      }
      await new Promise((resolve) => listener.once('exit', resolve));
      const share = Number(/share (\S+)/.exec(said)?.[1]);
      const lost = Number(/lost (\d+)/.exec(said)?.[1]);
      console.info(`a storm of signals costs ${(share * 100).toFixed(1)} % of a core; ${lost} were not read`);
      // A hundredth is what it allows itself; the rest is the start of a program and a loaded machine.
      expect(share).toBeLessThan(0.1);
      expect(names()).toEqual([]);
    });
  },
);
