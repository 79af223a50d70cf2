// Disks that are full, and disks that hang: neither may stop the keeper from bringing services back.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryDocument } from '../../src/core/history-view.js';
import { killMain, serving, sshd } from '../support/sandbox-daemons.js';
import {
  forgetEverything,
  inState,
  Keeper,
  runningAs,
  status,
  upkeep,
  writeConfig,
} from '../support/sandbox-keeper.js';
import { endAll, isAlive, run, until } from '../support/sandbox-machine.js';

const CONFIG = `
defaults: { ready: { alive: 200ms } }
services:
  ssh:   { watch: /usr/sbin/sshd, start: service ssh restart }
  quiet: { run: /usr/bin/sleep infinity }
  loud:  { run: /usr/local/sbin/loud }
`;

// Writes a line ten times a second and does not care whether it could.
const LOUD = `#!/bin/sh
trap '' PIPE
while :; do echo "a line of a service that never stops talking, to fill what can be filled" 2>/dev/null; sleep 0.1; done
`;

let keeper: Keeper | null = null;
let undo: (() => void)[] = [];

function must(command: string, ...args: readonly string[]): void {
  const ran = run(command, args);
  if (ran.code !== 0) throw new Error(`${command} ${args.join(' ')}: ${ran.stderr}`);
}

/** A supervised service killed with -9 is another process afterwards. */
async function killed(name: string): Promise<void> {
  const old = (await inState(name, 'running')).process?.pid ?? 0;
  process.kill(old, 'SIGKILL');
  await until(`${name} is another process`, () => {
    const now = status(name);
    return now.state === 'running' && now.process !== null && now.process.pid !== old && isAlive(now.process.pid);
  });
}

function deathsInHistory(name: string): number {
  const { code, stdout } = upkeep('history', name, '--json', '-n', 'all');
  if (code !== 0) return 0;
  const { entries }: HistoryDocument = JSON.parse(stdout);
  return entries.filter(({ what }) => what === 'died').length;
}

async function killedListener(): Promise<void> {
  const old = killMain(sshd);
  await runningAs('ssh', await serving(sshd, old));
}

beforeEach(async () => {
  await endAll(sshd.exe);
  forgetEverything();
  writeFileSync('/usr/local/sbin/loud', LOUD, { mode: 0o755 });
  writeConfig(CONFIG);
});

afterEach(async () => {
  try {
    await keeper?.stop();
  } finally {
    keeper = null;
    for (const step of undo.reverse()) step();
    undo = [];
    await endAll(sshd.exe);
    forgetEverything();
  }
});

describe.each([
  ['runtime', '/run/upkeep'],
  ['state', '/var/lib/upkeep'],
  ['log', '/var/log/upkeep'],
])('a full disk under the %s directory', (_what, directory) => {
  it('leaves services coming back, commands answered and the keeper alive', async () => {
    mkdirSync(directory, { recursive: true });
    must('mount', '-t', 'tmpfs', '-o', 'size=2m,mode=755', 'tmpfs', directory);
    undo.push(() => {
      spawnSync('umount', ['-l', directory]);
    });
    keeper = await Keeper.start();
    await inState('quiet', 'running');
    await inState('loud', 'running');
    await runningAs('ssh', await serving(sshd));

    run('dd', ['if=/dev/zero', `of=${directory}/filler`, 'bs=4096', 'status=none']);
    expect(statSync(`${directory}/filler`).size).toBeGreaterThan(0);
    for (let round = 0; round < 2; round += 1) {
      await killed('quiet');
      await killed('loud');
      await killedListener();
    }
    expect(upkeep('status').code).toBe(0);
    expect(upkeep('restart', 'quiet').code).toBe(0);

    // With room again everything goes on, over a keeper restart too.
    rmSync(`${directory}/filler`);
    await killed('quiet');
    const quiet = status('quiet').process?.pid ?? 0;
    await keeper.stop('SIGKILL');
    keeper = await Keeper.start();
    expect((await inState('quiet', 'running')).process?.pid).toBe(quiet);
    await killed('quiet');
    await killedListener();
    // What could not be written waited for room: two rounds, and two more.
    await until('every death of it in the history, once', () => deathsInHistory('quiet') === 4);
  });
});

describe('a frozen disk', () => {
  // ext4 in a file, frozen as a whole: whoever writes to it waits without end, and cannot be killed.
  it('under state and logs leaves restarts working and commands answered', async () => {
    const image = '/var/tmp/frozen.img';
    must('truncate', '-s', '64M', image);
    must('mkfs.ext4', '-q', '-F', image);
    mkdirSync('/srv/frozen', { recursive: true });
    must('mount', '-o', 'loop', image, '/srv/frozen');
    undo.push(() => {
      spawnSync('umount', ['-l', '/srv/frozen']);
      rmSync(image, { force: true });
    });
    for (const directory of ['/var/lib/upkeep', '/var/log/upkeep']) {
      mkdirSync(`/srv/frozen${directory}`, { recursive: true });
      mkdirSync(directory, { recursive: true });
      must('mount', '--bind', `/srv/frozen${directory}`, directory);
      undo.push(() => {
        spawnSync('umount', ['-l', directory]);
      });
    }
    // Who writes to a frozen disk waits, and a service writes its log itself; so the init script, which says what it
    // does, is silenced, and the loud service stays away.
    const silenced = '[sh, -c, "service ssh restart >/dev/null 2>&1"]';
    writeConfig(CONFIG.replace(/^ {2}loud.*\n/m, '').replace('service ssh restart', silenced));
    keeper = await Keeper.start();
    await inState('quiet', 'running');
    await runningAs('ssh', await serving(sshd));

    must('fsfreeze', '-f', '/srv/frozen');
    let frozen = true;
    const thaw = (): void => {
      if (frozen) spawnSync('fsfreeze', ['-u', '/srv/frozen']);
      frozen = false;
    };
    undo.push(thaw);
    try {
      for (let round = 0; round < 3; round += 1) {
        await killed('quiet');
        await killedListener();
      }
      expect(upkeep('status').code).toBe(0);
      expect(readFileSync(`/proc/${keeper.pid}/stat`, 'utf8')).not.toMatch(/\) D /);
    } finally {
      thaw();
    }
    await killed('quiet');
    // What was recorded meanwhile is written now, and the keeper ends as always.
    await until('the history knows of the restarts', () => upkeep('status', 'quiet').code === 0);
  });
});
