import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pattern } from '../core/pattern.js';
import { probeFeatures } from './features.js';
import { surveyProcesses } from './survey.js';

const features = probeFeatures([]);
let home: string;
let path: string;
let children: ChildProcess[];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-survey-'));
  path = join(home, 'surveyd');
  copyFileSync('/bin/sleep', path);
  children = [spawn(path, ['60']), spawn('tail', ['-f', path])];
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('spawn', resolve))));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

const pattern = (by: Pattern['by']): Pattern => ({
  by,
  pidFile: null,
  user: null,
  count: { min: 1, max: 1 },
  containers: 'no',
});

describe('a survey', () => {
  it('says which process a pattern finds, and why not the ones that resemble it', async () => {
    const { choice, processes, unseen } = await surveyProcesses(pattern({ type: 'exe', path }), features);
    expect(choice).toMatchObject({ type: 'main', facts: { process: { pid: children[0]?.pid } } });
    expect(processes.map(({ facts, part, because }) => [facts.process.pid, part, because])).toEqual([
      [children[0]?.pid, 'main', `its executable is ${path}`],
      [children[1]?.pid, 'other', expect.stringMatching(/^its executable is .*tail, not /)],
    ]);
    expect(unseen).toBeNull();
  });

  it('names the bystanders of an expression', async () => {
    const { processes } = await surveyProcesses(pattern({ type: 'match', regex: `${home}/surveyd` }), features);
    expect(processes.map(({ facts, part, because }) => [facts.process.pid, part, because])).toEqual([
      [children[0]?.pid, 'main', expect.stringContaining('its command line is')],
      [children[1]?.pid, 'other', 'its command line matches, but it is tail, which only names it'],
    ]);
  });

  it('of what does not run finds nothing', async () => {
    const { choice, processes } = await surveyProcesses(
      pattern({ type: 'name', name: 'no-such-program-here' }),
      features,
    );
    expect([choice, processes]).toEqual([{ type: 'none' }, []]);
  });
});
