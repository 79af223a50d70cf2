// The port Outputs and what follows from it, on real files: opening, indexing, rotating, reading.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogSpec, type ServiceSpec, serviceName } from '../../src/core/spec.js';
import { collapse } from '../../src/kernel/disk-calls.js';
import { listArchives } from '../../src/logs/archive.js';
import type { LogJob, LogNews } from '../../src/logs/job.js';
import { lastLines } from '../../src/logs/last-lines.js';
import type { LogLine } from '../../src/logs/line.js';
import { logPath } from '../../src/logs/log-files.js';
import type { LogSource } from '../../src/logs/log-view.js';
import { ServiceOutputs } from '../../src/logs/outputs.js';
import { type ReadOptions, readLogs } from '../../src/logs/read.js';
import { LogTender } from '../../src/logs/tender.js';
import { readIndex } from '../../src/logs/time-index.js';
import { supervised, watched } from '../support/builders.js';

const DEADLINE = { timeout: 20_000, interval: 20 };

let directory = '';
const closers: Array<() => void> = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-logs-'));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(directory, { recursive: true, force: true });
});

interface Opened {
  readonly outputs: ServiceOutputs;
  readonly sent: LogJob[];
  readonly problems: string[];
}

function openOutputs(folder = directory): Opened {
  const sent: LogJob[] = [];
  const problems: string[] = [];
  const outputs = new ServiceOutputs({
    directory: folder,
    send: (job) => sent.push(job),
    report: (problem) => problems.push(problem),
    inherited: 2,
  });
  closers.push(() => outputs.close());
  return { outputs, sent, problems };
}

function withLog(name: string, log: Partial<LogSpec> = {}, more: Partial<ServiceSpec> = {}): ServiceSpec {
  const spec = supervised({ name });
  return { ...spec, ...more, log: { ...spec.log, ...log } };
}

interface Tending {
  readonly tender: LogTender;
  readonly news: LogNews[];
  /** What was handed on to syslog. */
  readonly handedOn: string[];
}

/** Tends the log of `name`, which is made if it is not there. */
function tend(name: string, rotate: Partial<LogSpec['rotate']> = {}, forward: 'no' | 'syslog' = 'no'): Tending {
  const news: LogNews[] = [];
  const handedOn: string[] = [];
  const path = join(directory, `${name}.log`);
  appendFileSync(path, '');
  const calls = { collapse, sendToSyslog: (service: string, line: string) => handedOn.push(`${service}: ${line}`) };
  const tender = new LogTender(calls, (one) => news.push(one));
  closers.push(() => tender.close());
  const rotation = { size: null, keep: 3, compress: 'no', ...rotate } as const;
  const { name: service } = supervised({ name });
  tender.perform({ type: 'tend', key: name, lasts: 'standing', service, path, rotate: rotation, forward });
  return { tender, news, handedOn };
}

const own = (service: string): LogSource => ({ service, path: logPath(directory, service), kind: 'own' });

async function read(names: readonly string[], options: Partial<ReadOptions> = {}): Promise<LogLine[]> {
  const signal = new AbortController().signal;
  const sources = names.map(own);
  const lines: LogLine[] = [];
  for await (const line of readLogs(sources, { lines: 'all', since: null, follow: 'no', signal, ...options }))
    lines.push(line);
  return lines;
}

const texts = (lines: readonly LogLine[]): string[] => lines.map((line) => line.bytes.toString());

describe('opening logs', () => {
  it('opens a log once, to append, for its owner and group alone, and keeps it over restarts', () => {
    const folder = join(directory, 'new', 'log');
    const { outputs, sent } = openOutputs(folder);
    const fd = outputs.descriptorFor(withLog('web'));
    expect(outputs.descriptorFor(withLog('web'))).toBe(fd);
    if (fd === null) throw new Error('no descriptor');
    writeSync(fd, 'one\n');
    truncateSync(join(folder, 'web.log'), 0);
    writeSync(fd, 'two\n');
    expect(readFileSync(join(folder, 'web.log'), 'utf8')).toBe('two\n');
    expect(statSync(join(folder, 'web.log')).mode & 0o027).toBe(0);
    expect(statSync(folder).mode & 0o027).toBe(0);
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/flags:\s+0?2\d{6}/);
    expect(sent.map((job) => job.type)).toEqual(['tend']);
  });

  it('gives nothing for `none`, and the own output for `inherit`', () => {
    const { outputs, sent, problems } = openOutputs();
    expect(outputs.descriptorFor(withLog('a', { to: 'none' }))).toBeNull();
    expect(outputs.descriptorFor(withLog('b', { to: 'inherit' }))).toBe(2);
    expect(sent).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('goes on without a log that cannot be opened, says so once, and opens it at a later start (supervisors 35)', () => {
    const folder = join(directory, 'log');
    writeFileSync(folder, 'in the way');
    const { outputs, problems } = openOutputs(folder);
    expect(outputs.descriptorFor(withLog('web'))).toBeNull();
    expect(outputs.descriptorFor(withLog('web'))).toBeNull();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(join(folder, 'web.log'));
    unlinkSync(folder);
    expect(outputs.descriptorFor(withLog('web'))).not.toBeNull();
  });

  it('neither follows a link nor hangs on a FIFO at the place of a log', () => {
    const { outputs, problems } = openOutputs();
    symlinkSync(join(directory, 'elsewhere'), join(directory, 'a.log'));
    execFileSync('mkfifo', [join(directory, 'b.log')]);
    expect(outputs.descriptorFor(withLog('a'))).toBeNull();
    expect(outputs.descriptorFor(withLog('b'))).toBeNull();
    expect(problems).toHaveLength(2);
  });

  it('opens a new file at the next start after somebody moved the log away', async () => {
    const { outputs } = openOutputs();
    const first = outputs.descriptorFor(withLog('web'));
    const { news } = tend('web');
    renameSync(join(directory, 'web.log'), join(directory, 'web.old'));
    await expect.poll(() => news, DEADLINE).toContainEqual({ type: 'moved', service: 'web' });
    for (const one of news) outputs.hear(one);
    const second = outputs.descriptorFor(withLog('web'));
    if (first === null || second === null) throw new Error('no descriptor');
    expect(fstatSync(second).ino).toBe(statSync(join(directory, 'web.log')).ino);
  });

  it('knows from where on a log holds what was written since the start, also after a rotation', () => {
    const { outputs } = openOutputs();
    const spec = withLog('web', {}, { ready: { probe: { type: 'log', regex: 'up' }, timeout: null } });
    writeFileSync(join(directory, 'web.log'), 'old\n');
    outputs.descriptorFor(spec);
    expect(outputs.startOf(spec)).toEqual({ path: join(directory, 'web.log'), offset: 4 });
    outputs.hear({ type: 'rotated', service: spec.name, cut: 10, exact: 'yes' });
    expect(outputs.startOf(spec)?.offset).toBe(-6);
    outputs.release(spec.name);
    writeFileSync(join(directory, 'web.log'), Buffer.alloc(1_048_577));
    expect(outputs.startOf(spec)?.offset).toBe(1);
  });

  it('counts what was lost of an output, for the status (supervisors 37)', () => {
    const { outputs, problems } = openOutputs();
    const { name } = withLog('web');
    outputs.hear({ type: 'dropped', service: name, bytes: 5 });
    outputs.hear({ type: 'dropped', service: name, bytes: 6 });
    outputs.hear({ type: 'rotated', service: name, cut: 6, exact: 'no' });
    expect(outputs.lossesOf(name)).toEqual({ dropped: 11, inexactRotations: 1 });
    expect(problems).toHaveLength(2);
  });

  it('closes a log that is released, and ends its care', () => {
    const { outputs, sent } = openOutputs();
    const spec = withLog('web');
    const fd = outputs.descriptorFor(spec);
    outputs.release(spec.name);
    expect(sent.map((job) => job.type)).toEqual(['tend', 'leave']);
    expect(() => closeSync(fd ?? -1)).toThrow('EBADF');
  });
});

describe('tending logs', () => {
  it('notes when output came, as it comes, and what came while nobody looked as old as the file', async () => {
    const path = join(directory, 'web.log');
    writeFileSync(path, 'before\n');
    const before = Date.now();
    tend('web');
    appendFileSync(path, 'now\n');
    await expect.poll(() => readIndex(path)?.end, DEADLINE).toBe(11);
    const [older, younger] = await read(['web']);
    expect(older?.time).toBeLessThanOrEqual(before + 1);
    expect(younger?.time).toBeGreaterThanOrEqual(before);
    expect(younger?.time).toBeLessThanOrEqual(Date.now());
  });

  it('keeps so many archives, compresses them, and cuts where a line begins if a block does', async () => {
    const path = join(directory, 'web.log');
    const { news } = tend('web', { size: 40_000, keep: 2, compress: 'yes' });
    let written = 0;
    for (let round = 1; round <= 5; round += 1) {
      const lines = Array.from({ length: 1_000 }, () => `line ${++written} `.padEnd(63, 'x').concat('\n'));
      appendFileSync(path, lines.join(''));
      await expect
        .poll(() => news.filter((one) => one.type === 'rotated').length, DEADLINE)
        .toBeGreaterThanOrEqual(round);
    }
    expect(listArchives(path).map(({ number, form }) => [number, form])).toEqual([
      [2, 'gzip'],
      [1, 'gzip'],
    ]);
    expect(readFileSync(path, 'utf8')).toMatch(/^line /);
    const lines = texts(await read(['web']));
    const first = Number(lines[0]?.split(' ')[1]);
    expect(lines.map((line) => Number(line.split(' ')[1]))).toEqual(
      Array.from({ length: written - first + 1 }, (_, index) => first + index),
    );
    expect(texts(await read(['web'], { lines: 1_500 }))).toEqual(lines.slice(-1_500));
  });

  it('keeps no archive where none is wanted', async () => {
    const path = join(directory, 'web.log');
    const { news } = tend('web', { size: 40_000, keep: 0 });
    appendFileSync(path, `${'x'.repeat(99)}\n`.repeat(1_000));
    await expect.poll(() => news.map((one) => one.type), DEADLINE).toEqual(['rotated']);
    expect(listArchives(path)).toEqual([]);
    expect(statSync(path).size).toBeLessThan(40_000);
  });

  it('goes on with a log that somebody emptied', async () => {
    const path = join(directory, 'web.log');
    tend('web');
    appendFileSync(path, 'a longer line\n');
    await expect.poll(() => readIndex(path)?.end, DEADLINE).toBe(14);
    truncateSync(path, 0);
    appendFileSync(path, 'new\n');
    await expect.poll(() => readIndex(path), DEADLINE).toEqual({ base: 14, end: 18 });
    expect(texts(await read(['web']))).toEqual(['new']);
  });

  it('goes on after its index was damaged', async () => {
    const path = join(directory, 'web.log');
    writeFileSync(path, 'one\n');
    writeFileSync(`${path}.times`, 'no index at all');
    tend('web');
    appendFileSync(path, 'two\n');
    await expect.poll(() => readIndex(path), DEADLINE).toEqual({ base: 0, end: 8 });
  });

  it('notes no time and does nothing while nobody writes', async () => {
    const path = join(directory, 'web.log');
    tend('web');
    appendFileSync(path, 'one\n');
    await expect.poll(() => readIndex(path)?.end, DEADLINE).toBe(4);
    const index = readFileSync(`${path}.times`);
    // Somebody else's file in the same directory is none of its business.
    writeFileSync(join(directory, 'other'), 'x'.repeat(100));
    appendFileSync(path, 'two\n');
    await expect.poll(() => readIndex(path)?.end, DEADLINE).toBe(8);
    expect(readFileSync(`${path}.times`).subarray(0, index.length)).toEqual(index);
    expect(readFileSync(`${path}.times`, 'latin1').split('\n')).toHaveLength(4);
  });
});

describe('handing output on to syslog', () => {
  it('opens a short log for it, so that the service waits for nobody', () => {
    const { outputs, sent } = openOutputs();
    expect(outputs.descriptorFor(withLog('web', { to: 'syslog' }))).not.toBeNull();
    expect(sent).toMatchObject([{ type: 'tend', forward: 'syslog', rotate: { size: 1_048_576, keep: 0 } }]);
    outputs.descriptorFor(withLog('web', { to: 'file' }));
    expect(sent.at(-1)).toMatchObject({ type: 'tend', forward: 'no' });
  });

  it('hands every whole line on, cleaned, also what was written while nobody looked', async () => {
    const path = join(directory, 'web.log');
    writeFileSync(path, 'early\n');
    const first = tend('web', {}, 'syslog');
    expect(first.handedOn).toEqual(['web: early']);
    appendFileSync(path, '\x1b[1mone\ttwo\x00\n\nhalf');
    await expect.poll(() => first.handedOn, DEADLINE).toEqual(['web: early', 'web:  [1mone two']);
    first.tender.close();
    appendFileSync(path, ' and half\n');
    expect(tend('web', {}, 'syslog').handedOn).toEqual(['web: half and half']);
  });

  it('begins where the log was last looked at when it was a plain one before', () => {
    const path = join(directory, 'web.log');
    writeFileSync(path, 'old\n');
    tend('web').tender.close();
    appendFileSync(path, 'new\n');
    expect(tend('web', {}, 'syslog').handedOn).toEqual(['web: new']);
  });

  it('throws away only what was handed on, and neither skips nor repeats a line over it', {
    timeout: 180_000,
  }, async () => {
    const path = join(directory, 'web.log');
    const { news, handedOn } = tend('web', { size: 50_000, keep: 0 }, 'syslog');
    let written = 0;
    const rotations = (): number => news.filter((one) => one.type === 'rotated').length;
    await expect
      .poll(
        () => {
          appendFileSync(path, Array.from({ length: 2_000 }, () => `${++written}\n`).join(''));
          return rotations();
        },
        { timeout: 30_000, interval: 5 },
      )
      .toBeGreaterThan(3);
    await expect.poll(() => handedOn.length, DEADLINE).toBe(written);
    expect(handedOn).toEqual(Array.from({ length: written }, (_, index) => `web: ${index + 1}`));
    expect(news.filter((one) => one.type === 'dropped')).toEqual([]);
  });

  it('passes over what is too much to wait, and counts it', async () => {
    const path = join(directory, 'web.log');
    writeFileSync(path, `${'x'.repeat(99)}\n`.repeat(200_000));
    const { news, handedOn } = tend('web', { size: 1_000_000, keep: 0 }, 'syslog');
    await expect
      .poll(() => news, DEADLINE)
      .toContainEqual({ type: 'dropped', service: 'web', bytes: 20_000_000 - 16 * 1024 * 1024 });
    await expect.poll(() => handedOn.length, DEADLINE).toBeGreaterThan(167_000);
    await expect.poll(() => statSync(path).size, DEADLINE).toBeLessThan(1_000_000);
  });
});

describe('reading logs', () => {
  /** Archives and index as a tender leaves them: three parts, the oldest compressed, a line over the last border. */
  function layOut(): void {
    const path = join(directory, 'web.log');
    writeFileSync(`${path}.2.gz`, Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]));
    writeFileSync(`${path}.2.times`, 'upkeep-times 1 100\n104 1000\n');
    writeFileSync(`${path}.1`, 'three\nfo');
    writeFileSync(`${path}.1.times`, 'upkeep-times 1 108\n109 2000\n');
    writeFileSync(path, 'ur\nfive\n\nsix');
    writeFileSync(`${path}.times`, 'upkeep-times 1 116\n119 3000\n124 4000\n');
  }

  it('shows all archives and the log as one, with times, and a last line without newline', async () => {
    layOut();
    const lines = await read(['web']);
    expect(texts(lines)).toEqual(['one', 'two', 'three', 'four', 'five', '', 'six']);
    expect(lines.slice(0, 5).map((line) => line.time)).toEqual([1000, 2000, 2000, 3000, 4000]);
    expect(lines.at(-1)?.ends).toBe('open');
  });

  it('shows the last lines, however far back they lie', async () => {
    layOut();
    const all = ['one', 'two', 'three', 'four', 'five', '', 'six'];
    for (let count = 1; count <= 9; count += 1)
      expect(texts(await read(['web'], { lines: count }))).toEqual(all.slice(-count));
    expect(await read(['web'], { lines: 0 })).toEqual([]);
  });

  it('finds the last lines where the log itself is empty, or one long line', async () => {
    const path = join(directory, 'web.log');
    writeFileSync(`${path}.1`, 'one\ntwo\n');
    writeFileSync(path, '');
    expect(texts(await read(['web'], { lines: 1 }))).toEqual(['two']);
    writeFileSync(path, `${'x'.repeat(200_000)}\nlast\n`);
    expect(texts(await read(['web'], { lines: 1 }))).toEqual(['last']);
    expect((await read(['web'], { lines: 2 })).map((line) => line.bytes.length)).toEqual([200_000, 4]);
  });

  it('shows what was written since a time', async () => {
    layOut();
    expect(texts(await read(['web'], { since: 2_000 }))).toEqual(['two', 'three', 'four', 'five', '', 'six']);
    expect(texts(await read(['web'], { since: 3_500 }))).toEqual(['five', '', 'six']);
    expect(texts(await read(['web'], { since: 1, lines: 2 }))).toEqual(['', 'six']);
  });

  it('interleaves several by time, and counts the last lines over all of them', async () => {
    layOut();
    writeFileSync(join(directory, 'db.log'), 'a\nb\nc\n');
    writeFileSync(join(directory, 'db.log.times'), 'upkeep-times 1 0\n2 1500\n4 3500\n6 3600\n');
    const lines = await read(['web', 'db']);
    expect(texts(lines).slice(0, 7)).toEqual(['one', 'a', 'two', 'three', 'four', 'b', 'c']);
    expect(texts(await read(['web', 'db'], { lines: 5 }))).toEqual(['b', 'c', 'five', '', 'six']);
  });

  it('orders the own log of a daemon by the times that it writes there', async () => {
    const foreign = join(directory, 'daemon.txt');
    writeFileSync(foreign, '2026-01-10 10:00:00 up\n  more of it\n2026-01-10 12:00:00 down\n');
    const signal = new AbortController().signal;
    const since = new Date('2026-01-10T11:00:00').getTime();
    const sources: LogSource[] = [{ service: 'ssh', path: foreign, kind: 'foreign' }, own('ssh')];
    const lines: string[] = [];
    for await (const line of readLogs(sources, { lines: 'all', since, follow: 'no', signal }))
      lines.push(line.bytes.toString());
    expect(lines).toEqual(['2026-01-10 12:00:00 down']);
  });

  it('has nothing to show of a log that is not there', async () => {
    expect(await read(['nobody'])).toEqual([]);
  });

  it('shows what can be read of a damaged archive, and what follows', async () => {
    layOut();
    writeFileSync(join(directory, 'web.log.2.gz'), 'damaged');
    expect(texts(await read(['web'])).slice(-5)).toEqual(['three', 'four', 'five', '', 'six']);
  });
});

describe('the last lines of a service that ended', () => {
  const path = () => join(directory, 'web.log');
  const wanted = { inode: null, begin: 0, end: null, lines: 20 };

  it('are few, bounded and cheap (supervisors 37)', () => {
    writeFileSync(path(), `${'old\n'.repeat(50_000)}\x1b[31mnewest\nopen`);
    expect(lastLines({ ...wanted, path: path(), lines: 3 })).toEqual(['old', 'newest', 'open']);
    writeFileSync(path(), 'x'.repeat(1_048_576));
    expect(lastLines({ ...wanted, path: path() })).toEqual([`${'x'.repeat(400)}…`]);
    writeFileSync(path(), `${'é'.repeat(400)}\n`.repeat(20));
    expect(lastLines({ ...wanted, path: path() })).toHaveLength(10);
    writeFileSync(path(), '\n\na\n\n');
    expect(lastLines({ ...wanted, path: path(), lines: 2 })).toEqual(['a', '']);
    writeFileSync(path(), '');
    expect(lastLines({ ...wanted, path: path() })).toEqual([]);
  });

  it('are safe to show: no escape sequence, no control character, no half character', () => {
    writeFileSync(path(), Buffer.from([...Buffer.from('\x1b]0;evil\x07red\r\nbell\x07 '), 0xff, 0xc3, 0x0a]));
    expect(lastLines({ ...wanted, path: path() })).toEqual(['red', 'bell^G \ufffd\ufffd']);
    writeFileSync(path(), `${'x'.repeat(399)}\u{1f600}y`);
    expect(lastLines({ ...wanted, path: path() })).toEqual([`${'x'.repeat(399)}…`]);
  });

  it('end where it ended, and begin where its start was; what the next one writes is not its own', () => {
    writeFileSync(path(), 'of the one before\nits own\nof the next\n');
    expect(lastLines({ ...wanted, path: path(), begin: 18, end: 26 })).toEqual(['its own']);
    expect(lastLines({ ...wanted, path: path(), begin: 26, end: 26 })).toEqual([]);
    // A rotation took the head away meanwhile.
    expect(lastLines({ ...wanted, path: path(), begin: 100, end: 126 })?.at(-1)).toBe('of the next');
  });

  it('are not read from another file, through a link, or from what is no plain file', () => {
    writeFileSync(path(), 'secret\n');
    const { ino } = statSync(path());
    expect(lastLines({ ...wanted, path: path(), inode: ino + 1 })).toBeNull();
    symlinkSync(path(), join(directory, 'link.log'));
    expect(lastLines({ ...wanted, path: join(directory, 'link.log') })).toBeNull();
    execFileSync('mkfifo', [join(directory, 'fifo.log')]);
    expect(lastLines({ ...wanted, path: join(directory, 'fifo.log') })).toBeNull();
    expect(lastLines({ ...wanted, path: join(directory, 'nobody.log') })).toBeNull();
  });

  it('are asked for up to what is written now, and answered once', async () => {
    const { outputs, sent } = openOutputs();
    const spec = withLog('web');
    const fd = outputs.descriptorFor(spec) ?? -1;
    writeSync(fd, 'first\n');
    outputs.descriptorFor(spec);
    writeSync(fd, 'second\n');
    const answers: unknown[] = [];
    outputs.lastLinesOf(spec, 'main', (lines) => answers.push(lines));
    writeSync(fd, 'of the next\n');
    await setImmediate();
    const job = sent.at(-1);
    expect(job).toMatchObject({ type: 'lastLines', service: 'web', begin: 6, end: 13 });
    if (job?.type !== 'lastLines') throw new Error('it was not asked for');
    expect(lastLines(job)).toEqual(['second']);
    outputs.hear({ type: 'rotated', service: serviceName('web'), cut: 6, exact: 'yes' });
    outputs.lastLinesOf(spec, 'main', () => {});
    await setImmediate();
    expect(sent.at(-1)).toMatchObject({ begin: 0 });
    for (const lines of [['second'], ['again']])
      outputs.hear({ type: 'lastLines', service: serviceName('web'), key: job.key, lines });
    expect(answers).toEqual([['second']]);
    outputs.lastLinesOf(withLog('quiet', { to: 'none' }), 'main', (lines) => answers.push(lines));
    expect(answers).toEqual([['second'], null]);
  });

  it('of a daemon that writes a file itself are those of that file, and of a failed start those of its command', async () => {
    const { outputs, sent } = openOutputs();
    const spec = watched({ name: 'ssh', logFrom: '/var/log/sshd' });
    outputs.descriptorFor(spec);
    outputs.lastLinesOf(spec, 'main', () => {});
    await setImmediate();
    expect(sent.at(-1)).toMatchObject({ path: '/var/log/sshd', inode: null, end: null });
    outputs.lastLinesOf(spec, 'start', () => {});
    await setImmediate();
    expect(sent.at(-1)).toMatchObject({ path: join(directory, 'ssh.log'), end: 0 });
  });
});

describe('following logs', () => {
  interface Following {
    readonly lines: string[];
    readonly stop: () => Promise<void>;
  }

  function follow(sources: readonly LogSource[]): Following {
    const abort = new AbortController();
    const lines: string[] = [];
    const ended = (async () => {
      for await (const line of readLogs(sources, { lines: 10, since: null, follow: 'yes', signal: abort.signal })) {
        lines.push(line.bytes.toString());
      }
    })();
    const stop = async (): Promise<void> => {
      abort.abort();
      await ended;
    };
    closers.push(() => abort.abort());
    return { lines, stop };
  }

  it('shows what comes, over rotations, without gap or repetition (supervisors 37)', { timeout: 120_000 }, async () => {
    const path = join(directory, 'web.log');
    const { news } = tend('web', { size: 50_000, keep: 20, compress: 'yes' });
    appendFileSync(path, '0\n');
    const following = follow([own('web')]);
    await expect.poll(() => following.lines, DEADLINE).toEqual(['0']);
    let written = 0;
    const rotations = (): number => news.filter((one) => one.type === 'rotated').length;
    await expect
      .poll(
        () => {
          appendFileSync(path, Array.from({ length: 500 }, () => `${++written}\n`).join(''));
          return rotations();
        },
        { timeout: 60_000, interval: 5 },
      )
      .toBeGreaterThan(4);
    await expect.poll(() => following.lines.length, DEADLINE).toBe(written + 1);
    await following.stop();
    expect(following.lines).toEqual(Array.from({ length: written + 1 }, (_, index) => String(index)));
  });

  it('goes on with a log that is emptied, and one that is replaced', async () => {
    const path = join(directory, 'foreign.txt');
    const following = follow([{ service: 'ssh', path, kind: 'foreign' }]);
    writeFileSync(path, 'first one\n');
    await expect.poll(() => following.lines, DEADLINE).toEqual(['first one']);
    truncateSync(path, 0);
    appendFileSync(path, 'b\n');
    await expect.poll(() => following.lines, DEADLINE).toEqual(['first one', 'b']);
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'c\nd');
    await expect.poll(() => following.lines, DEADLINE).toEqual(['first one', 'b', 'c', 'd']);
    appendFileSync(path, 'e\n');
    await expect.poll(() => following.lines, DEADLINE).toEqual(['first one', 'b', 'c', 'd', 'e']);
    await following.stop();
  });
});

// A mount namespace of its own, so that nobody else sees the small disk.
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;

describe.runIf(canMount)('logs on a full disk', () => {
  it('makes room with the oldest archives, then drops and counts, and goes on (supervisors 37)', {
    timeout: 180_000,
  }, async () => {
    const script = `
      set -e
      mount -t tmpfs -o size=1m none "$1"
      cd "$1"
      head -c 300000 /dev/zero > web.log.2; head -c 300000 /dev/zero > web.log.1
      yes line | head -c 200000 > web.log
      exec "$2" "$3" "$1" 100000 5 no without-collapse`;
    const tender = join(import.meta.dirname, '../support/log-tender.mjs');
    const run = spawnSync(
      'unshare',
      ['-m', 'timeout', '3', 'sh', '-c', script, 'sh', directory, process.execPath, tender],
      { encoding: 'utf8' },
    );
    const news = run.stdout
      .trim()
      .split('\n')
      .map((line): LogNews | { type: 'ready' } => JSON.parse(line));
    expect(news).toContainEqual({ type: 'rotated', service: 'web', cut: 200_000, exact: 'no' });
    expect(news.at(-1)).toEqual({ type: 'ready' });
    const all = script
      .replace('300000 /dev/zero > web.log.2', '300000 /dev/zero > other')
      .replace('300000 /dev/zero > web.log.1', '500000 /dev/zero > more');
    const second = spawnSync(
      'unshare',
      ['-m', 'timeout', '3', 'sh', '-c', all, 'sh', directory, process.execPath, tender],
      { encoding: 'utf8' },
    );
    const drops = second.stdout
      .trim()
      .split('\n')
      .map((line): LogNews | { type: 'ready' } => JSON.parse(line));
    expect(drops).toContainEqual({ type: 'dropped', service: 'web', bytes: 200_000 });
  });
});
