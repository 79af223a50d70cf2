import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sender } from '../core/death.js';
import { readMark } from '../install/stopped-mark.js';
import type { Via } from '../install/via.js';
import type { WriteJob } from '../journal/job.js';
import { Farewell, howToEnd, ownerOf } from './farewell.js';

let state: string;
const jobs: WriteJob[] = [];
const alice: Sender = { pid: 4711, name: 'upkeep', uid: 1000, user: 'alice', grade: 'seen' };

const farewell = (owner: Via | null): Farewell => new Farewell(state, owner, (job) => jobs.push(job));

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'upkeep-farewell-'));
  jobs.length = 0;
});
afterEach(() => rmSync(state, { recursive: true }));

describe('the end of a keeper', () => {
  it('is marked with who asked for it, for this boot', () => {
    farewell('cron').shutDown(alice);
    for (const { path, text } of jobs) writeFileSync(path, text);
    expect(readMark(state)).toMatchObject({ by: 'alice' });
    expect(readMark(state, 'another boot')).toBeNull();
  });

  it('names a user without a name by number', () => {
    farewell(null).shutDown({ ...alice, user: null });
    expect(jobs[0]?.text).toContain('\nby=uid 1000\n');
  });

  it.each<[Via | null, number]>([
    ['systemd', 100],
    ['cron', 0],
    ['guard', 0],
    [null, 0],
  ])('that was asked for has the status by which %s knows it: %i', (owner, code) => {
    const end = farewell(owner);
    expect(end.exitCode).toBe(0);
    end.shutDown(alice);
    expect(end.exitCode).toBe(code);
  });

  it('is forgotten when the next keeper begins', () => {
    writeFileSync(join(state, 'stopped'), 'boot=x\n');
    farewell(null).begin();
    expect(readdirSync(state)).toEqual([]);
  });

  it('leaves the services alone, unless the host goes down with it', async () => {
    expect(await howToEnd('leave', () => Promise.resolve('up'))).toBe('leave');
    expect(await howToEnd('leave', () => Promise.resolve('booting'))).toBe('leave');
    expect(await howToEnd('leave', () => Promise.resolve('ending'))).toBe('stop');
    expect(await howToEnd('stop', () => Promise.reject(new Error('nobody is to be asked')))).toBe('stop');
  });
});

it('believes only owners that it knows', () => {
  expect(ownerOf({ UPKEEP_OWNER: 'sysv' })).toBe('sysv');
  expect(ownerOf({ UPKEEP_OWNER: 'monit' })).toBeNull();
  expect(ownerOf({})).toBeNull();
});

it('has no owner any more when the guard that kept it is gone', () => {
  const env = { UPKEEP_OWNER: 'guard', UPKEEP_GUARD: '40' };
  expect(ownerOf(env, 40)).toBe('guard');
  expect(ownerOf(env, 1)).toBeNull();
  expect(ownerOf({ UPKEEP_GUARD: '40' }, 1)).toBeNull();
});
