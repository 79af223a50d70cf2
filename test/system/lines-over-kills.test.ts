// The promise: what a service prints is its own affair. The keeper may be killed, stopped or away: no line is lost, doubled
// or out of order, and no write is slower for it.

import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collapse } from '../../src/kernel/disk-calls.js';
import { listArchives } from '../../src/logs/archive.js';
import { type Home, newHome } from '../support/keeper.js';
import { seeded } from '../support/random.js';
import { readQuietly, signal } from '../support/running.js';

const WRITERS = Array.from({ length: 20 }, (_, i) => `w${i}`);
/** One write(2) for each line, as fast as a shell can, in bursts: a hundred keepers have to be started beside them. */
const LOOP =
  'i=0; while :; do j=0; while [ $j -lt 250 ]; do j=$((j+1)); i=$((i+1)); echo "$1 $i of the numbered lines"; done; sleep 0.05; done';
const TAIL = ' of the numbered lines';
const printer = (name: string, size: string): unknown => ({
  run: ['sh', '-c', LOOP, 'sh', name],
  nice: 19,
  log: { rotate: { size, keep: 10_000, compress: false } },
});

function canCollapse(home: Home): boolean {
  const file = home.write('probe', 'x'.repeat(64 * 1024 + 1));
  const fd = openSync(file, 'r+');
  const errno = collapse(fd, 64 * 1024);
  closeSync(fd);
  rmSync(file);
  return errno === null;
}

const logOf = (home: Home, name: string): string => home.at(`log/${name}.log`);
const rotations = (home: Home, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + listArchives(logOf(home, name)).length, 0);

/** Everything that it wrote, oldest first. */
const whole = (home: Home, name: string): Buffer =>
  Buffer.concat(
    [...listArchives(logOf(home, name)).map(({ path }) => path), logOf(home, name)].map((path) => readFileSync(path)),
  );

/** The numbers of the lines; throws for anything that is no whole line of this service. */
function* numbersIn(text: Buffer, name: string): Generator<number> {
  const prefix = `${name} `;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(0x0a, at);
    const line = text.toString('latin1', at, end < 0 ? text.length : end);
    if (end < 0 || !line.startsWith(prefix) || !line.endsWith(TAIL))
      throw new Error(`no whole line: ${JSON.stringify(line.slice(0, 100))}`);
    yield Number(line.slice(prefix.length, -TAIL.length));
    at = end + 1;
  }
}

/** Kills the keeper so often, at any instant of its life, and leaves one running. */
async function killOver(home: Home, kills: number, seed: number, env: NodeJS.ProcessEnv = {}): Promise<void> {
  console.log(`UPKEEP_SEED=${seed}`);
  const random = seeded(seed);
  for (let kill = 0; kill < kills; kill += 1) {
    const keeper = home.launch(['--leave'], { env });
    if (random.chance(0.8)) {
      await home.until('the keeper answers', async () => (await home.get('/v1/status')).type === 'ok');
      await pause(random.int(0, 400));
    } else {
      await pause(random.int(50, 300));
    }
    await keeper.end('SIGKILL');
  }
  await home.start(['--leave'], { env });
}

/** Ends the writers at the end of a line: a regular file is written whole or not at all before a signal is seen. */
async function stopWriters(home: Home): Promise<void> {
  for (const name of WRITERS) expect((await home.post(`/v1/services/${name}/stop?wait=30s`)).type).toBe('ok');
}

const seedOf = (): number => Number(process.env.UPKEEP_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe('numbered lines of twenty services at full speed', () => {
  it('over a hundred kills of the keeper, while their logs are rotated: none lost, none doubled, all in order (supervisors 37)', {
    timeout: 300_000,
  }, async ({ skip }) => {
    const home = newHome();
    if (!canCollapse(home)) skip('the file system cannot collapse');
    home.configure(Object.fromEntries(WRITERS.map((name) => [name, printer(name, '256K')])));
    await killOver(home, 100, seedOf());
    await home.until('a last rotation', () => rotations(home, WRITERS) > 40, 60);
    await stopWriters(home);
    for (const name of WRITERS) {
      let last = 0;
      for (const number of numbersIn(whole(home, name), name)) {
        if (number !== last + 1) throw new Error(`${name}: ${number} comes after ${last}`);
        last = number;
      }
      expect(last).toBeGreaterThan(1000);
    }
    expect(rotations(home, WRITERS)).toBeGreaterThan(40);
    expect((await home.status()).services.map(({ restarts }) => restarts.total)).toEqual(WRITERS.map(() => 0));
  });

  it('where the file system cannot collapse: none doubled, all in order, and it is told that some may be lost', {
    timeout: 300_000,
  }, async () => {
    const home = newHome();
    const env = { UPKEEP_WITHOUT: 'collapseRange' };
    home.configure(Object.fromEntries(WRITERS.map((name) => [name, printer(name, '256K')])));
    await killOver(home, 20, seedOf(), env);
    const lossesOf = async (name: string): Promise<number> => {
      const answer = await home.get(`/v1/services/${name}`);
      if (answer.type !== 'ok') return 0;
      const { detail } = answer.body as { readonly detail: { readonly log: { readonly inexactRotations: number } } };
      return detail.log.inexactRotations;
    };
    await home.until('a rotation, and the word that it was not exact', async () => (await lossesOf('w0')) > 0, 60);
    await stopWriters(home);
    for (const name of WRITERS) {
      const numbers = [...numbersIn(whole(home, name), name)];
      for (let at = 1; at < numbers.length; at += 1) {
        if (!((numbers[at] ?? 0) > (numbers[at - 1] ?? 0)))
          throw new Error(`${name}: ${numbers[at]} comes after ${numbers[at - 1]}`);
      }
      // What is written between the last look and the cut of each rotation: next to nothing.
      expect(numbers.length).toBeGreaterThan((numbers.at(-1) ?? 0) * 0.9);
    }
  });
});

describe('what is no ordinary line', () => {
  it('stands in the log byte for byte: lines of a megabyte, and a last one without its end (supervisors 37)', {
    timeout: 120_000,
  }, async ({ skip }) => {
    const home = newHome();
    if (!canCollapse(home)) skip('the file system cannot collapse');
    const count = 40;
    // Now and then it waits for a rotation: on a slow machine no keeper lives long enough for one, and the last makes one of all.
    const script = `$| = 1; for (1..${count}) {
        print $_ x 1048576, "\\n"; select undef, undef, undef, 0.1;
        if ($_ % 10 == 0) { select undef, undef, undef, 0.05 while -s STDOUT > 3 * 1048576 }
      } print "the end"; sleep 1000`;
    home.configure({
      wordy: { run: ['perl', '-e', script], log: { rotate: { size: '3M', keep: 1000, compress: false } } },
    });
    await killOver(home, 10, seedOf());
    await home.until('its last words', () => readQuietly(logOf(home, 'wordy')).endsWith('the end'), 60);
    const expected = Buffer.concat([
      ...Array.from({ length: count }, (_, i) => Buffer.from(`${String(i + 1).repeat(1_048_576)}\n`)),
      Buffer.from('the end'),
    ]);
    // A rotation that is going on now holds some of it twice, under a name that nobody reads.
    await home.until('every byte, once', () => whole(home, 'wordy').equals(expected));
    expect(rotations(home, ['wordy'])).toBeGreaterThan(2);
  });
});

describe('a service that prints as fast as it can', () => {
  it('prints as fast with a keeper that is stopped, and with none at all', { timeout: 120_000 }, async () => {
    const home = newHome();
    const rates = home.at('rates');
    // Every tenth of a second it says how many lines it has written in it, and in which phase that was.
    const script = `
      use Time::HiRes 'time'; my ($n, $t) = (0, time);
      while (1) {
        syswrite STDOUT, "a line that is written at once\\n"; next if ++$n % 500;
        my $now = time; next if $now - $t < 0.1;
        open my $in, '<', '${home.at('phase')}'; my $phase = <$in>; close $in;
        open my $out, '>>', '${rates}'; print $out "$phase ", $n / ($now - $t), "\\n"; close $out;
        ($n, $t) = (0, time);
      }`;
    writeFileSync(home.at('phase'), 'nobody');
    home.configure({ loud: { run: ['perl', '-e', script], log: { rotate: 'none' } } });
    let keeper = await home.start(['--leave']);
    const pid = await home.running('loud');
    const during = async (phase: string): Promise<void> => {
      // What was begun in the phase before does not count.
      writeFileSync(home.at('phase'), 'between');
      await pause(300);
      writeFileSync(home.at('phase'), phase);
      await pause(1500);
    };
    // In turns, because the machine has other things to do, and not always the same.
    for (let turn = 0; turn < 3; turn += 1) {
      await during('here');
      signal(keeper.pid, 'SIGSTOP');
      await during('stopped');
      await keeper.end('SIGKILL');
      await during('dead');
      keeper = await home.start(['--leave']);
    }
    expect(await home.running('loud')).toBe(pid);
    const seen = readFileSync(rates, 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
    const median = (phase: string): number => {
      const found = seen.filter(([first]) => first === phase).map(([, rate]) => Number(rate));
      expect(found.length).toBeGreaterThan(10);
      return found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)] ?? 0;
    };
    expect(median('stopped')).toBeGreaterThan(median('here') / 2);
    expect(median('dead')).toBeGreaterThan(median('here') / 2);
    expect(statSync(logOf(home, 'loud')).size).toBeGreaterThan(0);
  });
});
