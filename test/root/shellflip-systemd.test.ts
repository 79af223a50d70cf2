// The example of the seed under a real systemd 252: the same program and the same four generations as under Upkeep and alone
// (test/system/handover-shellflip.test.ts). What systemd cannot do it says itself: nobody is left who could go on when the fifth refuses.

import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/sandbox-machine.js';
import { Systemd } from '../support/sandbox-systemd.js';
import { flipsItself, fourGenerations, SHELLFLIP, TOO_MANY } from '../support/shellflip.js';

const UNITS = '/etc/systemd/system';
const [MEMORY, FILE] = [18_461, 18_462];

/** Where the state waits while nobody lives. */
const units: Readonly<Record<string, readonly [port: number, keeps: string]>> = {
  'flip-memory': [MEMORY, 'FileDescriptorStoreMax=2'],
  'flip-file': [FILE, 'RuntimeDirectory=flip-file\nRuntimeDirectoryPreserve=restart'],
};

let systemd: Systemd;

beforeAll(async () => {
  for (const [name, [port, keeps]] of Object.entries(units)) {
    writeFileSync(
      `${UNITS}/${name}.socket`,
      `[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=127.0.0.1:${port}\nFileDescriptorName=http\n`,
    );
    writeFileSync(
      `${UNITS}/${name}.service`,
      `[Service]\nType=notify\nExecStart=${process.execPath} ${SHELLFLIP}\nNotifyAccess=all\n${keeps}\nRestartForceExitStatus=75\nSuccessExitStatus=75\n`,
    );
  }
  systemd = await Systemd.boot();
  for (const name of Object.keys(units)) systemd.run('systemctl', 'start', `${name}.socket`, `${name}.service`);
}, 240_000);

afterAll(async () => {
  await systemd.end();
  for (const name of Object.keys(units))
    for (const type of ['socket', 'service']) rmSync(`${UNITS}/${name}.${type}`, { force: true });
});

const show = (name: string, property: string): string =>
  systemd.run('systemctl', 'show', '-P', property, `${name}.service`).stdout.trim();

describe.each(Object.entries(units))('the example of the seed under systemd, as %s', (name, [port]) => {
  it('counts four generations, whoever asks for them, and nobody serves when the fifth refuses (graceful E1, E6, E8)', async () => {
    const fourth = await fourGenerations(port, async (next) => {
      // Asked from inside: it ends with the agreed code, and systemd starts it again.
      if (next === 3) expect(await flipsItself(port)).toEqual({ pid: 0 });
      else expect(systemd.run('systemctl', 'restart', `${name}.service`).code).toBe(0);
      await until(`generation ${next}`, () => Promise.resolve(show(name, 'StatusText') === `generation ${next}`));
    });
    expect(fourth.mode).toEqual({
      manager: 'systemd',
      guarantees: { overlap: false, canRefuse: false, stateHandedOver: true, socketsHeld: true, watchdog: false },
    });
    expect(systemd.run('systemctl', 'restart', `${name}.service`).code).not.toBe(0);
    expect(show(name, 'ActiveState')).toBe('failed');
    expect(systemd.run('journalctl', '-b', '--no-pager', '-u', `${name}.service`).stdout).toContain(TOO_MANY);
  });
});
