import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import type { FileQuestion } from '../core/question.js';
import { askFile } from './file.js';
import type { Asking, Finding } from './kind.js';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-file-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const MINUTE = 60_000;

describe('A file', () => {
  test('that is there is good, with its age and size', async () => {
    expect(await ask({ path: file('there', 14 * 1024, 3 * MINUTE) })).toEqual({
      result: 'good',
      detail: 'changed 3 min ago, 14 KiB',
    });
  });

  test('that is not there has failed, also where its directory is not there or is none', async () => {
    const path = join(home, 'no-such');
    expect(await ask({ path })).toEqual({ result: 'failed', detail: `${path} is not there` });
    expect(await ask({ path: join(path, 'below') })).toMatchObject({ result: 'failed' });
    expect(await ask({ path: join(file('plain'), 'below') })).toMatchObject({ result: 'failed' });
  });

  test('that is too old, or too small, has failed, and all of that is said', async () => {
    const path = file('old', 10, 10 * MINUTE);
    expect(await ask({ path, age: { is: '<', than: 5 * MINUTE } })).toEqual({
      result: 'failed',
      detail: 'changed 10 min ago, wanted < 5 min',
    });
    expect(await ask({ path, age: { is: '<', than: 5 * MINUTE }, size: { is: '>=', than: 1024 } })).toEqual({
      result: 'failed',
      detail: 'changed 10 min ago, wanted < 5 min; 10 B, wanted >= 1.0 KiB',
    });
    expect(await ask({ path, age: { is: '>', than: 5 * MINUTE }, size: { is: '<=', than: 10 } })).toMatchObject({
      result: 'good',
    });
  });

  test('that was changed in the future has just been changed', async () => {
    const path = file('future', 1, -60 * MINUTE);
    expect(await ask({ path, age: { is: '<', than: MINUTE } })).toMatchObject({ result: 'good' });
  });

  test('is looked at behind its links, and a ring of links says nothing about the service', async () => {
    const link = join(home, 'link');
    symlinkSync(file('target', 2048), link);
    expect(await ask({ path: link, size: { is: '>', than: 2047 } })).toMatchObject({ result: 'good' });
    const ring = join(home, 'ring');
    symlinkSync(ring, ring);
    expect(await ask({ path: ring })).toMatchObject({ result: 'unasked' });
  });
});

describe('A file that has to change', () => {
  const changes = 'yes';

  test('is good when it is seen for the first time, and has failed while it stays the same', async () => {
    const path = file('still', 5);
    expect(await ask({ path, changes })).toMatchObject({
      result: 'good',
      detail: expect.stringMatching(/^seen for the first time, changed .* ago, 5 B$/),
    });
    for (let i = 0; i < 2; i++) {
      expect(await ask({ path, changes })).toMatchObject({
        result: 'failed',
        detail: expect.stringMatching(/^the same as at the last question; changed/),
      });
    }
  });

  test.each<readonly [string, (path: string) => void]>([
    ['its time', (path) => utimesSync(path, 1000, 1000)],
    ['its size', (path) => writeFileSync(path, 'more')],
    [
      'what is at its path',
      (path) => {
        const other = file('other', 1, 0);
        utimesSync(other, 5000, 5000);
        renameSync(other, path);
      },
    ],
  ])('is good again after a change of %s', async (_, change) => {
    const path = file('alive', 1, 0);
    utimesSync(path, 5000, 5000);
    await ask({ path, changes });
    expect(await ask({ path, changes })).toMatchObject({ result: 'failed' });
    change(path);
    expect(await ask({ path, changes })).toMatchObject({ result: 'good' });
    expect(await ask({ path, changes })).toMatchObject({ result: 'failed' });
    rmSync(path);
  });

  test('is remembered for each heartbeat by itself, and not for who asks by hand', async () => {
    const path = file('shared', 5);
    await ask({ path, changes }, { by: 'one/file' });
    expect(await ask({ path, changes }, { by: 'two/file' })).toMatchObject({ result: 'good' });
    for (let i = 0; i < 2; i++)
      expect(await ask({ path, changes }, {})).toMatchObject({ detail: expect.stringMatching(/^seen for the first/) });
    expect(await ask({ path, changes }, { by: 'one/file' })).toMatchObject({ result: 'failed' });
  });

  test('is not remembered by an answer that nobody waits for', async () => {
    const path = file('late', 5);
    const given = await ask({ path, changes }, { by: 'late/file', signal: AbortSignal.abort() });
    expect(given).toMatchObject({ result: 'unasked' });
    expect(await ask({ path, changes }, { by: 'late/file' })).toMatchObject({
      detail: expect.stringMatching(/^seen for the first time/),
    });
  });
});

test('A file is sought in the step that says nothing about the service when it hangs', async () => {
  const { steps, ...asking } = anAsking();
  await ask({ path: file('step') }, asking);
  expect(steps).toEqual(['look']);
});

test.runIf(process.geteuid?.() === 0)(
  'A file that the asker may not look at says nothing about the service',
  async () => {
    const shut = join(home, 'shut');
    mkdirSync(shut, { mode: 0o700 });
    const path = join(shut, 'file');
    writeFileSync(path, '');
    process.seteuid?.(65534);
    const found = await ask({ path }).finally(() => process.seteuid?.(0));
    expect(found).toEqual({ result: 'unasked', detail: `the user with uid 65534 may not look at ${path}` });
  },
);

function file(name: string, size = 1, age = 0): string {
  const path = join(home, name);
  writeFileSync(path, 'x'.repeat(size));
  const changed = new Date(Date.now() - age);
  utimesSync(path, changed, changed);
  return path;
}

const ask = (
  question: Partial<FileQuestion> & { readonly path: string },
  asking: Partial<Asking> = { by: 'service/file' },
): Promise<Finding> =>
  askFile({ kind: 'file', age: null, size: null, changes: 'no', ...question }, { ...anAsking(), ...asking });
