// A service of another user than the keeper's hands over: who it is, the kernel says, and the way of its state is open to
// its user and to nobody else.

import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forgetEverything, inState, Keeper, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { run, until } from '../support/sandbox-machine.js';

const PROGRAM = new URL('../support/handing-over.py', import.meta.url);
const NOBODY = 65534;
const SEEN = '/var/tmp/steps';

let keeper: Keeper | null = null;

beforeEach(() => {
  forgetEverything();
  mkdirSync('/etc/upkeep', { recursive: true });
  chmodSync('/etc/upkeep', 0o755);
  mkdirSync('/opt/witness', { recursive: true });
  writeFileSync('/opt/witness/handing-over.py', readFileSync(PROGRAM));
  writeFileSync(SEEN, '');
  chmodSync(SEEN, 0o666);
});

afterEach(async () => {
  await keeper?.stop();
  keeper = null;
  forgetEverything();
});

interface Step {
  readonly generation: number;
  readonly event: string;
  readonly count?: number;
}

const steps = (): readonly Step[] =>
  readFileSync(SEEN, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line): Step => JSON.parse(line));

describe('a service of another user', () => {
  it('has a hand-over channel, and a place for its state that nobody else can enter', async () => {
    writeConfig(`
services:
  web:
    run: /usr/bin/python3 /opt/witness/handing-over.py
    user: nobody
    ready: notify
    handover: overlap
    env: { HO_LOG: ${SEEN}, HO_SIZE: "300000" }
`);
    keeper = await Keeper.start();
    await inState('web', 'running');
    const home = '/run/upkeep/handover/web.d';
    const { uid, mode } = statSync(home);
    expect([uid, mode & 0o7777]).toEqual([NOBODY, 0o700]);
    expect(run('setpriv', ['--reuid=1', '--clear-groups', 'ls', home]).code).not.toBe(0);
    expect(upkeep('restart', 'web')).toMatchObject({ code: 0 });
    await until('the old one has ended', () => Promise.resolve(steps().find(({ event }) => event === 'ends')));
    expect(steps().find(({ event, generation }) => event === 'imported' && generation === 2)).toMatchObject({
      bytes: 300_012,
    });
  });

  it('is the only one that may open its channel, and may restart itself and nobody else (graceful E6)', async () => {
    const ask = 'curl -s -i -m 5 --unix-socket "$UPKEEP_SOCKET"';
    const upgrade = '-H "Connection: Upgrade" -H "Upgrade: upkeep-handover/1"';
    writeFileSync(
      '/opt/witness/stranger.sh',
      `[ "$UPKEEP_GENERATION" = 1 ] || exec sleep infinity
${ask} ${upgrade} http://upkeep/v1/services/web/handover > ${SEEN}.channel
${ask} -X POST http://upkeep/v1/services/web/restart > ${SEEN}.web
${ask} -X POST http://upkeep/v1/services/other/restart > ${SEEN}.other
exec sleep infinity
`,
    );
    for (const name of ['channel', 'web', 'other']) {
      writeFileSync(`${SEEN}.${name}`, '');
      chmodSync(`${SEEN}.${name}`, 0o666);
    }
    writeConfig(`
services:
  web:
    run: /usr/bin/python3 /opt/witness/handing-over.py
    user: nobody
    ready: notify
    handover: overlap
    env: { HO_LOG: ${SEEN} }
  other:
    run: /bin/sh /opt/witness/stranger.sh
    user: nobody
    needs: web
    restart: { alwaysAfter: [75] }
`);
    keeper = await Keeper.start();
    const answerOf = (name: string): Promise<string> =>
      until(`${name} was answered`, () => {
        const text = readFileSync(`${SEEN}.${name}`, 'utf8');
        return text.includes('}') && text;
      });
    expect(await answerOf('channel')).toMatch(/^HTTP\/1.1 403 .*none of its processes/s);
    expect(await answerOf('web')).toMatch(/^HTTP\/1.1 403 /);
    expect(await answerOf('other')).toMatch(/^HTTP\/1.1 202 /);
    await inState('web', 'running');
  });
});
