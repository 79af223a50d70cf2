import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KeeperRecord, recordedIn, recordPath } from './keeper-record.js';

let runtime = '';
let problems: string[] = [];

beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), 'upkeep-keeper-record-'));
  problems = [];
});
afterEach(() => rmSync(runtime, { recursive: true, force: true }));

const open = (env: NodeJS.ProcessEnv = {}): KeeperRecord =>
  new KeeperRecord(runtime, '0.1.0', env, (problem) => problems.push(problem));
const onDisk = (): Record<string, unknown> => JSON.parse(readFileSync(recordPath(runtime), 'utf8'));
/** As if another process had written it. */
const changed = (changes: object): void => {
  writeFileSync(recordPath(runtime), JSON.stringify({ ...onDisk(), ...changes }));
};

it('tells nothing where there was nobody, and writes who keeps here', () => {
  expect(open().before).toBeNull();
  expect(onDisk()).toMatchObject({ version: '0.1.0', pid: process.pid, guard: null, ended: null });
  expect(recordedIn(onDisk())).not.toBeNull();
});

it('tells of one that did not end because somebody asked', () => {
  open();
  changed({ pid: 801, memoryGroup: null });
  const { before } = open();
  expect(before).toMatchObject({ pid: 801, cause: 'unknown', grade: 'unknown' });
  expect(onDisk()).toMatchObject({ pid: process.pid });
});

it('tells of another process with the same pid', () => {
  open();
  changed({ startTicks: 1, memoryGroup: null });
  expect(open().before).toMatchObject({ pid: process.pid });
});

it.each(['leave', 'stop'] as const)('tells nothing of one that ended by request (%s)', (how) => {
  open().end(how);
  expect(onDisk()).toMatchObject({ ended: how });
  changed({ pid: 801 });
  expect(open().before).toBeNull();
});

it('tells nothing of itself before an upgrade in place, of an earlier boot, or of what it cannot read', () => {
  open();
  expect(open().before).toBeNull();
  changed({ pid: 801, boot: 'another' });
  expect(open().before).toBeNull();
  changed({ pid: 801, name: 5 });
  expect(open().before).toBeNull();
  writeFileSync(recordPath(runtime), '{"pid": 8');
  expect(open().before).toBeNull();
  writeFileSync(recordPath(runtime), 'null');
  expect(open().before).toBeNull();
  expect(problems).toEqual([]);
});

it('believes the guard only about the life right before', () => {
  const life = (of: number, last: string): NodeJS.ProcessEnv => ({
    UPKEEP_GUARD: '70',
    UPKEEP_GUARD_LIFE: String(of),
    UPKEEP_GUARD_LAST: last,
  });
  open(life(1, ''));
  changed({ pid: 801, memoryGroup: null });
  expect(open(life(2, '137')).before).toMatchObject({ cause: 'status' });
  changed({ pid: 802, memoryGroup: null });
  expect(open(life(4, '1')).before).toMatchObject({ cause: 'unknown' });
  changed({ pid: 803, memoryGroup: null });
  expect(open({ ...life(5, '1'), UPKEEP_GUARD: '71' }).before).toMatchObject({ cause: 'unknown' });
});

it('is made anew when somebody removes it, and not taken for removed when it could not be written', () => {
  const { piece } = open();
  expect(piece.isInPlace()).toBe(true);
  rmSync(recordPath(runtime));
  expect(piece.isInPlace()).toBe(false);
  void piece.renew();
  expect(onDisk()).toMatchObject({ pid: process.pid, ended: null });
  rmSync(runtime, { recursive: true });
  void piece.renew();
  expect(piece.isInPlace()).toBe(true);
});

it('says that it cannot be written, and goes on', () => {
  rmSync(runtime, { recursive: true });
  expect(open().before).toBeNull();
  expect(problems).toEqual([expect.stringContaining('the next keeper will not know how this one ended')]);
});
