// The disk thread as the keeper runs it: what it does, and that nobody ever waits for it.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WriteJob, writeJob } from '../../src/journal/job.js';
import { type DiskJob, DiskThread } from '../../src/kernel/disk-thread.js';
import type { LogJob, LogNews } from '../../src/logs/job.js';
import { ServiceOutputs } from '../../src/logs/outputs.js';
import { readIndex } from '../../src/logs/time-index.js';
import { supervised } from '../support/builders.js';

const PROGRAM = new URL('../../dist/worker.js', import.meta.url);
const DEADLINE = { timeout: 30_000, interval: 10 };

let directory = '';
const closers: Array<() => void> = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-thread-'));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(directory, { recursive: true, force: true });
});

interface Started<Job extends DiskJob> {
  readonly thread: DiskThread<Job, LogNews>;
  readonly problems: string[];
}

function start<Job extends DiskJob = LogJob | WriteJob>(
  program: URL = PROGRAM,
  hear: (news: LogNews) => void = () => {},
): Started<Job> {
  const problems: string[] = [];
  const thread = new DiskThread<Job, LogNews>({
    name: 'disk thread',
    program,
    setting: { without: [] },
    onNews: hear,
    report: (problem) => problems.push(problem),
  });
  closers.push(() => thread.close());
  return { thread, problems };
}

describe('the disk thread', () => {
  it('indexes and rotates what services write, through the outputs that opened it', async () => {
    const outputs: { current: ServiceOutputs | null } = { current: null };
    const news: LogNews[] = [];
    const { thread } = start(PROGRAM, (one) => {
      news.push(one);
      outputs.current?.hear(one);
    });
    outputs.current = new ServiceOutputs({
      directory,
      send: (job) => thread.send(job),
      report: () => {},
      inherited: 2,
    });
    const spec = supervised({ name: 'web' });
    const rotate = { size: 50_000, keep: 2, compress: 'no' } as const;
    const fd = outputs.current.descriptorFor({ ...spec, log: { to: 'file', rotate } });
    if (fd === null) throw new Error('no descriptor');
    const writer = spawn('sh', ['-c', 'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo "a line of output $i"; done'], {
      stdio: ['ignore', fd, fd],
    });
    await once(writer, 'exit');
    await expect.poll(() => news.map((one) => one.type), DEADLINE).toContain('rotated');
    await expect
      .poll(() => readIndex(join(directory, 'web.log'))?.end, DEADLINE)
      .toBe(
        Array.from({ length: 5_000 }, (_, index) => `a line of output ${index + 1}\n`.length).reduce((a, b) => a + b),
      );
    outputs.current.close();
  });

  it('holds nobody while a disk hangs, and then writes only the newest version of each file', async () => {
    const { thread, problems } = start();
    // Opening a FIFO that nobody reads hangs in the kernel, as a disk may.
    execFileSync('mkfifo', [join(directory, 'slow.new')]);
    const other = join(directory, 'other');
    thread.send(writeJob(join(directory, 'slow'), 'hangs'));
    for (let version = 1; version <= 50_000; version += 1) thread.send(writeJob(other, `version ${version}`));
    expect(await thread.flush(200)).toBe('late');
    expect(existsSync(other)).toBe(false);
    const reader = openSync(join(directory, 'slow.new'), 'r');
    readSync(reader, Buffer.alloc(16));
    closeSync(reader);
    expect(await thread.flush(30_000)).toBe('done');
    expect(readFileSync(other, 'utf8')).toBe('version 50000');
    // A FIFO cannot be made last: that is told, and no more than that.
    expect(thread.dropped).toBe(0);
    expect(problems).toEqual([]);
  });

  it('does not keep a process alive that has nothing else to do', () => {
    const program = `
      import { DiskThread } from '${new URL('../../dist/kernel/disk-thread.js', import.meta.url).href}';
      const thread = new DiskThread({ name: 'disk thread', program: new URL('${PROGRAM.href}'), setting: { without: [] }, onNews() {}, report: console.error });
      thread.send({ type: 'write', key: 'a', lasts: 'once', path: '${join(directory, 'a')}', text: 'a' });
      console.log(await thread.flush(20000));`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(out).toBe('done\n');
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('a');
  });

  it('does not hold up the end of a process whose disk hangs', () => {
    execFileSync('mkfifo', [join(directory, 'slow.new')]);
    const program = `
      import { DiskThread } from '${new URL('../../dist/kernel/disk-thread.js', import.meta.url).href}';
      import { exitAtOnce } from '${new URL('../../dist/kernel/disk-calls.js', import.meta.url).href}';
      const thread = new DiskThread({ name: 'disk thread', program: new URL('${PROGRAM.href}'), setting: { without: [] }, onNews() {}, report: console.error });
      thread.send({ type: 'write', key: 'a', lasts: 'once', path: '${join(directory, 'slow')}', text: 'a' });
      if (await thread.flush(500) === 'late') exitAtOnce(7);`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000 });
    expect(run.status).toBe(7);
  });

  it('is started again when it breaks, does what stands and what waits, and gives a job up that breaks it twice', {
    timeout: 180_000,
  }, async () => {
    interface TestJob extends DiskJob {
      readonly does: 'note' | 'break';
    }
    const notes = join(directory, 'notes');
    const program = join(directory, 'program.mjs');
    writeFileSync(
      program,
      `import { appendFileSync } from 'node:fs';
       import { parentPort } from 'node:worker_threads';
       parentPort.on('message', ({ number, job }) => {
         if (job.does === 'break') throw new Error('broken');
         appendFileSync(${JSON.stringify(notes)}, job.key + ' ');
         parentPort.postMessage({ type: 'done', number });
       });`,
    );
    const { thread, problems } = start<TestJob>(pathToFileURL(program));
    appendFileSync(notes, '');
    thread.send({ key: 'standing', lasts: 'standing', does: 'note' });
    thread.send({ key: 'once', lasts: 'once', does: 'note' });
    thread.send({ key: 'ended', lasts: 'standing', does: 'note' });
    expect(await thread.flush(30_000)).toBe('done');
    thread.send({ key: 'ended', lasts: 'once', does: 'note' });
    thread.send({ key: 'bad', lasts: 'once', does: 'break' });
    thread.send({ key: 'last', lasts: 'once', does: 'note' });
    expect(await thread.flush(30_000)).toBe('done');
    expect(readFileSync(notes, 'utf8')).toBe('standing once ended ended standing standing last ');
    expect(thread.dropped).toBe(1);
    expect(problems).toHaveLength(3);
  });
});
