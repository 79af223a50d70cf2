import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Matcher } from '../core/match.js';
import { probeFeatures } from './features.js';
import { judgeProcess, type ScanResult, scanProcesses } from './processes.js';

const features = probeFeatures([]);
const yes = { match: 'yes', because: () => '' } as const;
const no = { match: 'no', because: () => '' } as const;
const pidIs = (pid: number | undefined): Matcher => ({ judge: (facts) => (facts.process.pid === pid ? yes : no) });

let child: ChildProcess;
beforeAll(async () => {
  child = spawn('sleep', ['60']);
  await new Promise((resolve) => child.once('spawn', resolve));
});
afterAll(() => child.kill('SIGKILL'));

const scan = (matchers: readonly Matcher[], slice?: number): Promise<ScanResult> =>
  new Promise((resolve) => scanProcesses(matchers, slice === undefined ? { features } : { features, slice }, resolve));

describe('a scan', () => {
  it('gives each matcher its own', async () => {
    const { found } = await scan([pidIs(child.pid), pidIs(process.pid), pidIs(0)]);
    const pids = found.map(({ matches }) => matches.map((facts) => facts.process.pid));
    expect(pids).toEqual([[child.pid], [process.pid], []]);
    expect(found.map(({ unseen }) => unseen)).toEqual([null, null, null]);
  });

  it('gives the loop its turn between slices, and misses nothing for it', async () => {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
    let turns = 0;
    let goesOn = true;
    const count = (): void => {
      turns += 1;
      if (goesOn) setImmediate(count);
    };
    setImmediate(count);
    const { slices, found } = await scan([pidIs(child.pid)], 0);
    goesOn = false;
    // One process a slice; some may have come or gone since they were counted.
    expect(slices).toBeGreaterThan(processes / 2);
    expect(turns).toBeGreaterThanOrEqual(slices - 1);
    expect(found[0]?.matches).toHaveLength(1);
  });

  it('that was stopped answers nobody', async () => {
    let answers = 0;
    const stop = scanProcesses([pidIs(child.pid)], { features, slice: 0 }, () => {
      answers += 1;
    });
    stop();
    await scan([pidIs(child.pid)], 0);
    expect(answers).toBe(0);
  });

  it('says when what may be meant cannot be seen', async () => {
    const doubtful: Matcher = {
      judge: (facts) => (facts.process.pid === child.pid ? { match: 'unseen', because: () => 'it hides' } : no),
    };
    const { found } = await scan([doubtful, pidIs(child.pid)]);
    expect(found.map(({ unseen }) => unseen)).toEqual([
      { type: 'failed', reason: `process ${child.pid}: it hides` },
      null,
    ]);
    expect(judgeProcess(child.pid ?? 0, [doubtful], features)).toEqual([
      { type: 'doubt', reason: `process ${child.pid}: it hides` },
    ]);
  });

  it('of one process that is gone finds nothing', () => {
    expect(judgeProcess(4_194_304, [{ judge: () => yes }], features)).toEqual([{ type: 'none' }]);
  });
});
