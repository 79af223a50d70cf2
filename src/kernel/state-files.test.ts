import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { findUser } from './account.js';
import { StateFiles } from './state-files.js';

const isRoot = process.geteuid?.() === 0;
const spec = supervised({ name: 'web' });
const asNobody = { ...spec, settings: { ...spec.settings, user: 'nobody' } };

let home: string;
let directory: string;
let files: StateFiles;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-state-'));
  directory = join(home, 'handover');
  files = new StateFiles(directory);
});
afterEach(() => rmSync(home, { recursive: true }));

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

/** A shell that opens it, and waits there; its exit code once it goes on. */
function opens(how: '<' | '>', path: string): Promise<number | null> {
  const script = how === '<' ? 'exec 3<"$1"; cat <&3; exit 7' : 'exec 3>"$1"; exit 8';
  const child = spawn('/bin/sh', ['-c', script, 'sh', path], { stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

describe('the place for the state of a service', () => {
  it('is a directory that only its user can enter, with a FIFO for its user alone', () => {
    const path = files.makePipe(spec);
    expect(lstatSync(path).isFIFO()).toBe(true);
    expect([modeOf(path), modeOf(join(path, '..')), modeOf(directory)]).toEqual(['600', '700', '711']);
    expect(files.fileOf(spec)).toBe(join(directory, 'web.d', 'state'));
    expect(existsSync(files.fileOf(spec))).toBe(false);
  });

  it.skipIf(!isRoot)('is that of the user that the service runs as, and changes with it', () => {
    const { uid } = findUser('nobody') ?? { uid: -1 };
    const path = files.makePipe(asNobody);
    expect([lstatSync(path).uid, lstatSync(join(path, '..')).uid, lstatSync(directory).uid]).toEqual([uid, uid, 0]);
    writeFileSync(files.fileOf(asNobody), 'of nobody');
    // What the user before has left is none of its business.
    expect(existsSync(files.fileOf(spec))).toBe(false);
    expect(lstatSync(join(path, '..')).uid).toBe(0);
  });

  it('goes with the service', () => {
    writeFileSync(files.fileOf(spec), 'state');
    files.makePipe(spec);
    files.release(spec.name);
    expect(existsSync(join(directory, 'web.d'))).toBe(false);
    files.release(spec.name);
  });

  it('has a file only where there is something in a file', () => {
    const path = files.fileOf(spec);
    expect(files.left(spec.name)).toBeNull();
    writeFileSync(path, '');
    expect(files.left(spec.name)).toBeNull();
    writeFileSync(path, 'state');
    expect(files.left(spec.name)).toBe(path);
    files.remove(spec.name);
    expect(files.left(spec.name)).toBeNull();
    files.remove(spec.name);
  });

  it('takes no name of a service for a way out of it', () => {
    expect(files.fileOf(supervised({ name: '..' }))).toBe(join(directory, '...d', 'state'));
    expect(files.fileOf(supervised({ name: 'a/b' }))).toBe(join(directory, 'a%2Fb.d', 'state'));
  });
});

describe('a FIFO that is over', () => {
  it.each(['<', '>'] as const)('lets go who waits to open it (%s)', async (how) => {
    const path = files.makePipe(spec);
    const waits = opens(how, path);
    // It is in open(2): there is no telling from outside, so it is given the time to get there, and no more than that.
    await new Promise((resolve) => setTimeout(resolve, 200));
    files.endPipe(spec.name);
    expect([7, 8, 2]).toContain(await waits);
    expect(existsSync(path)).toBe(false);
    files.endPipe(spec.name);
  });

  it('is not the FIFO of the next hand-over', () => {
    const first = lstatSync(files.makePipe(spec)).ino;
    const held = openSync(files.makePipe(spec), 'r+');
    expect(lstatSync(files.makePipe(spec)).ino).not.toBe(first);
    closeSync(held);
  });
});

describe('what a service puts there', () => {
  it('leads nowhere: a link in the place of its FIFO or its file is removed, and not followed', () => {
    const path = files.makePipe(spec);
    const precious = join(home, 'precious');
    writeFileSync(precious, 'keep', { mode: 0o644 });
    rmSync(path);
    symlinkSync(precious, path);
    files.endPipe(spec.name);
    symlinkSync(precious, path);
    expect(lstatSync(files.makePipe(givenAway())).isFIFO()).toBe(true);
    rmSync(path);
    linkSync(precious, path);
    files.makePipe(givenAway());
    symlinkSync(precious, files.fileOf(spec));
    expect(files.left(spec.name)).toBeNull();
    files.remove(spec.name);
    expect([readFileSync(precious, 'utf8'), modeOf(precious), lstatSync(precious).uid]).toEqual([
      'keep',
      '644',
      process.geteuid?.(),
    ]);
  });

  it('may be a directory, and then there is no hand-over', () => {
    const path = files.makePipe(spec);
    files.endPipe(spec.name);
    mkdirSync(path);
    expect(() => files.makePipe(spec)).toThrow(/EISDIR/);
    files.endPipe(spec.name);
  });
});

/** With an owner of its own where that can be: what is given away must not be what was linked. */
const givenAway = (): typeof spec => (isRoot ? asNobody : spec);
