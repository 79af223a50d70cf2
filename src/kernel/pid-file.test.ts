import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPidFile, removeStale, whoElseCouldWrite } from './pid-file.js';

let home: string;
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-pid-'));
  path = join(home, 'd.pid');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** What reading a file with this text says, without the path in front. */
function said(text: string | Buffer): string {
  writeFileSync(path, text);
  const reading = readPidFile(path);
  switch (reading.type) {
    case 'names':
      return `names ${reading.pid}`;
    case 'none':
      return 'none';
    case 'refused':
    case 'unreadable':
      return reading.reason.replace(`${path} `, '');
  }
}

/** A child that has ended and was waited for: nobody has its pid for a while. */
function deadPid(): number {
  return Number(execFileSync('sh', ['-c', 'echo $$']).toString());
}

const uid = process.geteuid?.() ?? 0;
const isRoot = uid === 0;
const someKernelThread = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && kernelThread(pid));
function kernelThread(pid: string): boolean {
  try {
    return Number(pid) > 1 && readFileSync(`/proc/${pid}/status`, 'utf8').includes('\nKthread:\t1');
  } catch {
    return false;
  }
}

describe('a pid file', () => {
  it('names a living process, whatever follows in later lines', async () => {
    const child = spawn('sleep', ['60']);
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      const pid = child.pid ?? 0;
      expect(said(`${pid}\n`)).toBe(`names ${pid}`);
      expect(said(` ${pid} \r\n/var/lib/postgresql\n5432\n`)).toBe(`names ${pid}`);
      expect(said(String(pid))).toBe(`names ${pid}`);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['abc\n', 'does not begin with the number of a process, but with "abc"'],
    ['12 34\n', 'does not begin with the number of a process, but with "12 34"'],
    ['-1\n', 'does not begin with the number of a process, but with "-1"'],
    ['99999999999999999999', 'does not begin with the number of a process, but with "99999999999999999999"'],
    ['4194305\n', 'does not begin with the number of a process, but with "4194305"'],
    ['0\n', 'names process 0, which is never a service'],
    ['1\n', 'names process 1, which is never a service'],
  ])('that holds %j is refused: %s (supervisors 15)', (text, reason) => {
    expect(said(text)).toBe(reason);
  });

  it('that names the keeper, or a dead process, is refused (supervisors 15)', () => {
    expect(said(`${process.pid}\n`)).toBe(`names process ${process.pid}, the keeper itself`);
    const dead = deadPid();
    expect(said(`${dead}\n`)).toBe(`names process ${dead}, which does not run`);
  });

  it.skipIf(someKernelThread === undefined)('that names a kernel thread is refused (supervisors 15)', () => {
    expect(said(`${someKernelThread}\n`)).toBe(`names process ${someKernelThread}, a thread of the kernel`);
  });

  it('that names a thread is refused (monitors 3)', async () => {
    // Any Node has threads beside its main one.
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000); console.log(1)']);
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const thread = readdirSync(`/proc/${child.pid}/task`).find((tid) => tid !== String(child.pid));
      expect(said(`${thread}\n`)).toBe(`names ${thread}, a thread of process ${child.pid}`);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('that is older than the process which has its number now is refused (monitors 3)', async () => {
    const child = spawn('sleep', ['60']);
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      writeFileSync(path, `${child.pid}\n`);
      utimesSync(path, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
      expect(readPidFile(path)).toMatchObject({
        type: 'refused',
        reason: expect.stringContaining('is older than process'),
      });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('that is not there, or not yet, says nothing; a directory or a FIFO in its place is refused', () => {
    expect(readPidFile(path)).toEqual({ type: 'none' });
    expect(readPidFile(join(path, 'below'))).toEqual({ type: 'none' });
    expect(readPidFile(home)).toEqual({ type: 'refused', reason: `${home} is no regular file` });
    execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
    expect(readPidFile(path)).toEqual({ type: 'refused', reason: `${path} is no regular file` });
  });
});

describe('a stale pid file', () => {
  it('is removed if it still names the dead process (supervisors 17)', () => {
    const dead = deadPid();
    writeFileSync(path, `${dead}\n`);
    expect(removeStale(path, dead)).toBe('removed');
    expect(existsSync(path)).toBe(false);
  });

  it('is kept if it names another, or that one lives, or it is a link (supervisors 17)', () => {
    const dead = deadPid();
    writeFileSync(path, `${dead}\n`);
    expect(removeStale(path, dead + 1)).toBe('kept');
    const link = join(home, 'link.pid');
    symlinkSync(path, link);
    expect(removeStale(link, dead)).toBe('kept');
    writeFileSync(path, `${process.ppid}\n`);
    expect(removeStale(path, process.ppid)).toBe('kept');
    expect(removeStale(join(home, 'none'), dead)).toBe('kept');
    expect(existsSync(path)).toBe(true);
  });
});

describe('who else could write a pid file (supervisors 15)', () => {
  beforeEach(() => writeFileSync(path, '1\n', { mode: 0o644 }));

  it('is nobody below a sticky directory, when we own it', () => {
    expect(whoElseCouldWrite(path, uid)).toBeNull();
  });

  it('is the world, or a group, by the mode of the file or of its directory', () => {
    chmodSync(path, 0o666);
    expect(whoElseCouldWrite(path, uid)).toBe('can be written by others than its owner (mode 0666)');
    chmodSync(path, 0o644);
    chmodSync(home, 0o777);
    expect(whoElseCouldWrite(path, uid)).toBe(`can be replaced by others, who may write in ${home}`);
    chmodSync(home, 0o1777);
    expect(whoElseCouldWrite(path, uid)).toBeNull();
  });

  it.skipIf(!isRoot)('is its owner, unless the process is of that user', () => {
    chownSync(path, 12_345, 0);
    expect(whoElseCouldWrite(path, 0)).toBe(`can be changed by uid 12345, who owns ${path}`);
    expect(whoElseCouldWrite(path, 12_345)).toBeNull();
    chownSync(path, 0, 0);
    chownSync(home, 12_345, 0);
    expect(whoElseCouldWrite(path, 0)).toBe(`can be changed by uid 12345, who owns ${home}`);
    expect(whoElseCouldWrite(path, 12_345)).toBeNull();
  });

  it.skipIf(!isRoot)('is a group that may write, but not that of root', () => {
    chmodSync(home, 0o775);
    expect(whoElseCouldWrite(path, 0)).toBeNull();
    chownSync(home, 0, 12_345);
    chmodSync(home, 0o775);
    expect(whoElseCouldWrite(path, 0)).toBe(`can be replaced by others, who may write in ${home}`);
  });

  it.skipIf(!isRoot)('is whoever can turn a link on the way', () => {
    const real = join(home, 'real');
    const links = join(home, 'links');
    mkdirSync(real);
    mkdirSync(links);
    writeFileSync(join(real, 'x.pid'), '1\n');
    symlinkSync('../real', join(links, 'run'));
    const way = join(links, 'run', 'x.pid');
    expect(whoElseCouldWrite(way, 0)).toBeNull();
    chownSync(links, 12_345, 0);
    expect(whoElseCouldWrite(way, 0)).toBe(`can be changed by uid 12345, who owns ${links}`);
  });
});
