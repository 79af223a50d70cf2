// The promise: programs that speak to systemd by its own tools and libraries speak to Upkeep, as they are.

import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetEverything, inState, Keeper, status, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { until } from '../support/sandbox-machine.js';

const SEEN = '/var/tmp/notify-clients';
const SDNOTIFY =
  "from sdnotify import SystemdNotifier as N; import time; N().notify('READY=1'); N().notify('STATUS=by sdnotify'); time.sleep(600)";

const CONFIG = `
services:
  libsystemd:
    run: /usr/bin/python3 /opt/notify/notify-client.py
    user: nobody
    sockets: { http: "127.0.0.1:8130", admin: /run/notify-client.sock }
    fdStore: 4
    watchdog: 30s
    ready: notify
  sdnotify:
    run: [/usr/bin/python3, -c, "${SDNOTIFY}"]
    user: nobody
    ready: notify
  shell:
    run: [/bin/sh, -c, 'systemd-notify --ready --status="by systemd-notify"; echo $? > ${SEEN}; exec sleep 600']
    ready: notify
  member:
    run: [/bin/sh, -c, 'systemd-notify --ready --status="by a member"; exec sleep 600']
    user: nobody
    ready: notify
    notify: all
`;

let keeper: Keeper | null = null;

beforeAll(async () => {
  forgetEverything();
  rmSync(SEEN, { force: true });
  mkdirSync('/opt/notify', { recursive: true });
  copyFileSync(new URL('../support/notify-client.py', import.meta.url), '/opt/notify/notify-client.py');
  writeConfig(CONFIG);
  keeper = await Keeper.start();
});

afterAll(async () => {
  await keeper?.stop();
  forgetEverything();
});

const said = (name: string): Promise<string> => until(`${name} says something`, () => status(name).statusText);

describe('a program that speaks to systemd', () => {
  it('by libsystemd finds its sockets, its watchdog and its store, and is answered (graceful A19)', async () => {
    await inState('libsystemd', 'running');
    expect(JSON.parse(await said('libsystemd'))).toEqual({
      names: ['http', 'admin'],
      listening: [1, 1],
      watchdog: [1, 30_000_000],
      stored: 1,
      barrier: 1,
    });
    expect(upkeep('fds', 'libsystemd').stdout).toMatch(/ kept /);
  });

  it('by Python’s sdnotify is ready when it says so (graceful A19)', async () => {
    await inState('sdnotify', 'running');
    await until('it says so', () => status('sdnotify').statusText === 'by sdnotify');
  });

  it('by systemd-notify(1) is ready when it says so, and has its answer (graceful A2, A19)', async () => {
    await inState('shell', 'running');
    expect(status('shell').statusText).toBe('by systemd-notify');
    expect(await until('it goes on', () => readFileSync(SEEN, 'utf8'))).toBe('0\n');
  });

  it('by systemd-notify(1) as another user needs `notify: all`, as with systemd', async () => {
    await inState('member', 'running');
    expect(status('member').statusText).toBe('by a member');
  });
});
