import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEnvFile, readEnvFile } from './env-file.js';

const isRoot = process.geteuid?.() === 0;

describe('a file of variables', () => {
  it.each<[string, string, Record<string, string>]>([
    ['plain lines', 'A=1\nB=two words\n', { A: '1', B: 'two words' }],
    ['comments and blank lines', '# A=1\n; B=2\n\nC=3', { C: '3' }],
    ['blanks around', '  A = 1  \n', { A: '1' }],
    ['quotes', 'A="one two"\nB=\'$HOME "x"\'\n', { A: 'one two', B: '$HOME "x"' }],
    ['a value joined of quoted parts', 'A="a"\'b\'c\n', { A: 'abc' }],
    ['an apostrophe within a word', "A=it's\nB=2\n", { A: "it's", B: '2' }],
    ['a quoted value over several lines', 'A="one\ntwo"\nB=3\n', { A: 'one\ntwo', B: '3' }],
    ['a line that goes on', 'A=one\\\ntwo\n', { A: 'onetwo' }],
    ['what a backslash takes', 'A="\\"x\\" \\n"\nB=\\"\n', { A: '"x" \\n', B: '"' }],
    ['an equals sign in the value', 'A=b=c\n', { A: 'b=c' }],
    ['an empty value', 'A=\nB=""\n', { A: '', B: '' }],
    ['a quoted blank at the end', 'A="x "\n', { A: 'x ' }],
    ['export, as in a script', 'export A=1\n', { A: '1' }],
    ['the end of line of Windows', 'A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['the last line of several with one name', 'A=1\nA=2\n', { A: '2' }],
    ['names that are none', '1A=x\nB-C=y\n=z\nword\nD=4\n', { D: '4' }],
    ['a quote that is never closed', 'A="one\nB=2\n', { A: 'one\nB=2\n' }],
  ])('may hold %s', (_, text, expected) => {
    expect(Object.fromEntries(parseEnvFile(text))).toEqual(expected);
  });
});

describe('reading one', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'upkeep-env-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('refuses one that is missing, unless a leading - allows that', () => {
    const path = join(home, 'none');
    expect(readEnvFile(path)).toEqual({ type: 'refused', errno: 'ENOENT', detail: expect.stringContaining(path) });
    expect(readEnvFile(`-${path}`)).toEqual({ type: 'read', variables: new Map() });
  });

  it('reads it anew', () => {
    const path = join(home, 'env');
    writeFileSync(path, 'A=1\n');
    expect(readEnvFile(path)).toEqual({ type: 'read', variables: new Map([['A', '1']]) });
    writeFileSync(path, 'A=2\n');
    expect(readEnvFile(`-${path}`)).toEqual({ type: 'read', variables: new Map([['A', '2']]) });
  });

  it.skipIf(!isRoot)('as root refuses one that others can write or own, and a directory on the way too', () => {
    const path = join(home, 'env');
    writeFileSync(path, 'A=1\n');
    chmodSync(path, 0o666);
    expect(readEnvFile(path)).toMatchObject({ errno: 'EPERM', detail: expect.stringContaining('chmod go-w') });
    chmodSync(path, 0o644);
    chownSync(path, 65534, 0);
    expect(readEnvFile(path)).toMatchObject({ errno: 'EPERM', detail: expect.stringContaining('65534') });
    chownSync(path, 0, 0);
    expect(readEnvFile(path).type).toBe('read');
    chmodSync(home, 0o777);
    expect(readEnvFile(`-${path}`)).toMatchObject({ errno: 'EPERM', detail: expect.stringContaining(home) });
  });

  it('says so of a directory', () => {
    expect(readEnvFile(home)).toMatchObject({
      type: 'refused',
      errno: 'EISDIR',
      detail: expect.stringContaining(home),
    });
  });
});
