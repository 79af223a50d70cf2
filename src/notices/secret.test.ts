import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hiding, type Keeping, readSecret, readSecretAside } from './secret.js';

const isRoot = process.getuid?.() === 0;
const keeping: Keeping = { env: { TOKEN: 's3cret', EMPTY: '' }, uid: process.getuid?.() ?? 0 };
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-secret-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(text: string, mode = 0o600): string {
  const path = join(directory, 'word');
  rmSync(path, { force: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const fromFile = (path: string) => readSecret({ type: 'file', path }, keeping);

describe('a secret', () => {
  it('is read aside by the same rules', async () => {
    const paths = [file('s3cret\n'), file('s3cret\n', 0o644), directory, join(directory, 'none')];
    const secrets = [
      ...paths.map((path) => ({ type: 'file', path }) as const),
      { type: 'env', name: 'TOKEN' } as const,
    ];
    for (const secret of secrets) expect(await readSecretAside(secret, keeping)).toEqual(readSecret(secret, keeping));
  });

  it('is the first line of a file without its end, or a variable of the keeper', () => {
    expect(fromFile(file('s3cret\n'))).toEqual({ type: 'read', word: 's3cret' });
    expect(fromFile(file('s3 cret\r\nmore\n', 0o640))).toEqual({ type: 'read', word: 's3 cret' });
    expect(readSecret({ type: 'env', name: 'TOKEN' }, keeping)).toEqual({ type: 'read', word: 's3cret' });
  });

  it.each([0o644, 0o604, 0o660, 0o602])('is refused where others can read or write it (%i)', (mode) => {
    const path = file('s3cret\n', mode);
    const bits = mode.toString(8).padStart(4, '0');
    expect(fromFile(path)).toEqual({
      type: 'unreadable',
      reason: `${path} can be read or written by others (mode ${bits}); close it (chmod 600)`,
    });
  });

  it.runIf(isRoot)('is refused where somebody else owns it', () => {
    const path = file('s3cret\n');
    chownSync(path, 12345, 0);
    expect(fromFile(path)).toEqual({
      type: 'unreadable',
      reason: `${path} belongs to user 12345; give it to the keeper's (chown 0)`,
    });
  });

  it('that is not there, empty, or nothing to type is told without a word of it', () => {
    const missing = join(directory, 'missing');
    expect(fromFile(missing)).toEqual({ type: 'unreadable', reason: `${missing} cannot be read (ENOENT)` });
    const path = file('\nsecond\n');
    expect(fromFile(path)).toEqual({ type: 'unreadable', reason: `the first line of ${path} is empty` });
    expect(fromFile(file('se\u0007cret'))).toEqual({ type: 'unreadable', reason: `${path} holds control characters` });
    expect(fromFile(file('x'.repeat(5000)))).toMatchObject({ type: 'unreadable' });
    const inner = join(directory, 'inner');
    mkdirSync(inner, { recursive: true, mode: 0o700 });
    expect(fromFile(inner)).toEqual({ type: 'unreadable', reason: `${inner} is no file` });
    expect(readSecret({ type: 'env', name: 'EMPTY' }, keeping)).toEqual({
      type: 'unreadable',
      reason: 'the keeper has no variable EMPTY',
    });
  });

  it('is taken out of a text in every form in which it went over the wire', () => {
    const hide = hiding(['p&ss w', '']);
    expect(hide('535 no: p&ss w, p%26ss%20w, cCZzcyB3')).toBe('535 no: ***, ***, ***');
    expect(hiding(['ab', 'abc'])('xabcx')).toBe('x***x');
  });
});
