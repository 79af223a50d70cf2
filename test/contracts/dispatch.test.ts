// Dispatch and courier together, as real processes, over the death of the keeper.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Letter } from '../../src/core/notice.js';
import { openStage, type Stage } from '../support/courier.js';
import { letter } from '../support/letters.js';
import { type Running, startProgram } from '../support/running.js';

const PATIENCE = { timeout: 50_000, interval: 20 };
const LETTERS = 30;

let stage: Stage;
let running: Running[];

beforeEach(() => {
  stage = openStage();
  running = [];
});
afterEach(async () => {
  for (const keeper of running) await keeper.end('SIGKILL');
  stage.close();
});

const keeperWith = (script: string): Running => {
  const program = fileURLToPath(new URL('../support/courier-keeper.mjs', import.meta.url));
  const keeper = startProgram([process.execPath, program, stage.outbox, script], process.env);
  running.push(keeper);
  return keeper;
};

const named = (id: string): Letter => ({ ...letter(), id, channel: 'page' });
const ids = Array.from({ length: LETTERS }, (_, i) => `page-${String(i).padStart(2, '0')}`);
const toldIn = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];

describe('letters over the death of the keeper', () => {
  it('are told once each and in order, however often it is killed while they are sent (monitors 29)', async () => {
    stage.put(...ids.map(named));
    const told = join(stage.directory, 'told');
    const script = `sleep 0.02; echo "$UPKEEP_LETTER" >> ${told}`;
    for (let kill = 0; kill < 6; kill += 1) {
      const before = toldIn(told).length;
      const keeper = keeperWith(script);
      await expect.poll(() => toldIn(told).length > before + (kill % 3), PATIENCE).toBe(true);
      // Somewhere within the sending of a letter.
      await pause(kill * 7);
      await keeper.end('SIGKILL');
    }
    const last = keeperWith(script);
    await expect.poll(last.said, PATIENCE).toMatch(/^done$/m);
    expect(toldIn(told)).toEqual(ids);
    expect(stage.waiting()).toEqual([]);
  });

  it('are kept when the program that tells them fails, and the keeper says that the channel is lost', async () => {
    stage.put(named('one'));
    const keeper = keeperWith('echo the pager is off; exit 1');
    await expect
      .poll(keeper.said, PATIENCE)
      .toMatch(/^lost page: \/bin\/sh ended with exit code 1: the pager is off$/m);
    expect(stage.waiting()).toEqual(['one']);
  });

  it('are sent by a new courier when the old one is killed', async () => {
    stage.put(named('one'));
    const begun = join(stage.directory, 'begun');
    // The first attempt kills the courier that runs it, which holds its output.
    const keeper = keeperWith(`[ -e ${begun} ] || { echo > ${begun}; kill -KILL $PPID; sleep 1; }; true`);
    await expect.poll(keeper.said, PATIENCE).toMatch(/^done$/m);
    expect(stage.waiting()).toEqual([]);
  });
});
