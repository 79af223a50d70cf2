import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeFeatures } from './features.js';
import { ProcConnector, type ProcEvent, probeProcConnector } from './proc-connector.js';
import { createPump, type Pump } from './pump.js';

// In a container the kernel says nothing to us, and there is nothing to test.
const hears = probeProcConnector() === 'yes';

let pump: Pump;
let connector: ProcConnector;
let events: ProcEvent[];

beforeEach(() => {
  pump = createPump(probeFeatures([]), (problem, error) => {
    throw new Error(problem, { cause: error });
  });
  connector = new ProcConnector(pump);
  events = [];
});
afterEach(() => {
  connector.close();
  pump.close();
});

async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!what()) {
    if (Date.now() > end) throw new Error('not within 20 s');
    await sleep(5);
  }
}

const run = (...argv: readonly string[]): ChildProcess => spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore' });
const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('exit', () => resolve()));
const kindsOf = (pid: number | undefined): readonly string[] =>
  events.flatMap((event) => (event.type !== 'lost' && event.pid === pid ? [event.type] : []));

describe.skipIf(!hears)('the proc connector', () => {
  it('tells of a process from its fork to its end', async () => {
    const listening = connector.listen((news) => void events.push(...news));
    const child = run('sh', '-c', 'exit 7');
    await until(() => kindsOf(child.pid).includes('exited'));
    expect(kindsOf(child.pid)).toEqual(['forked', 'execed', 'exited']);
    listening?.close();
  });

  it('remembers how it ended, and reads what waits before it answers', async () => {
    connector.listen(() => {});
    const coded = run('sh', '-c', 'exit 7');
    await ended(coded);
    expect(connector.exitStatusOf(coded.pid ?? 0)).toEqual({ type: 'exited', code: 7 });
    const killed = run('sh', '-c', 'kill -9 $$');
    await ended(killed);
    expect(connector.exitStatusOf(killed.pid ?? 0)).toEqual({ type: 'signaled', signal: 'SIGKILL', coreDumped: false });
    expect(connector.exitStatusOf(process.pid)).toBeNull();
  });

  it('tells nothing of threads', async () => {
    connector.listen((news) => void events.push(...news));
    const child = run(process.execPath, '-e', '');
    await until(() => kindsOf(child.pid).includes('exited'));
    expect(kindsOf(child.pid)).toEqual(['forked', 'execed', 'exited']);
    // Node makes threads of its own: they would be forks by it.
    expect(events.some((event) => event.type === 'forked' && event.parent === child.pid)).toBe(false);
  });

  it('is silent to who has closed, and still tells the other', async () => {
    const silent: ProcEvent[] = [];
    const first = connector.listen((news) => void silent.push(...news));
    connector.listen((news) => void events.push(...news));
    first?.close();
    const child = run('true');
    await until(() => kindsOf(child.pid).includes('exited'));
    expect(silent.filter((event) => event.type !== 'lost' && event.pid === child.pid)).toEqual([]);
  });

  it('forgets all when nobody listens, and can be listened to again', async () => {
    connector.listen(() => {})?.close();
    const child = run('true');
    await ended(child);
    expect(connector.exitStatusOf(child.pid ?? 0)).toBeNull();
    connector.listen((news) => void events.push(...news));
    const again = run('true');
    await until(() => kindsOf(again.pid).includes('exited'));
  });

  it('loses nothing in a storm', async () => {
    connector.listen((news) => void events.push(...news));
    const storm = run(
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10; do for j in 1 2 3 4 5 6 7 8 9 10; do (:) & done; done; wait',
    );
    await until(() => kindsOf(storm.pid).includes('exited'));
    const children = events.flatMap((event) =>
      event.type === 'forked' && event.parent === storm.pid ? [event.pid] : [],
    );
    expect(children).toHaveLength(100);
    const gone = events.flatMap((event) => (event.type === 'exited' ? [event.pid] : []));
    expect(gone).toEqual(expect.arrayContaining(children));
    expect(events.some((event) => event.type === 'lost')).toBe(false);
  });
});
