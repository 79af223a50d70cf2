// The promise: Debian's own daemons answer their kinds of heartbeat: good while they work, failed while they are down and while
// they hang; and a keeper that asks them brings those back that hang (seed 003).

import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../src/core/question.js';
import { millis } from '../../src/core/time.js';
import { askOnce } from '../../src/heartbeats/ask-once.js';
import {
  AGENT,
  ANSWERING,
  type Answering,
  endAllAnswering,
  goOn,
  prepareAnswering,
  processesOf,
  standStill,
} from '../support/sandbox-answering.js';
import { forgetEverything, Keeper, type Status, status, statuses, writeConfig } from '../support/sandbox-keeper.js';
import { processes, statusOf, until } from '../support/sandbox-machine.js';

// As often as may be: a hang is found out after two or three seconds. `stranger` asks the agent as who it does not belong to.
const CONFIG = `
defaults: { stop: { wait: 1s } }
services:
${ANSWERING.map(
  ({ name, service, heartbeat }) =>
    `  ${name}: { ${service}, heartbeat: { ${heartbeat}, every: 1s, timeout: 1s, fails: 2, grace: 30s } }`,
).join('\n')}
  stranger: { run: sleep infinity, heartbeat: { sshAgent: ${AGENT}, every: 1s, grace: 0s, fails: 1 } }
`;

let keeper: Keeper | null = null;

beforeAll(async () => {
  forgetEverything();
  await endAllAnswering();
  prepareAnswering();
});

afterAll(async () => {
  await keeper?.stop();
  await endAllAnswering();
});

const each = ANSWERING.map((one) => [one.name, one] as const);

async function asked({ ask }: Answering, timeout = 20_000): Promise<Answer | undefined> {
  const now = (): number => performance.now();
  const terms = { timeout: millis(timeout), now, secret: () => '', hide: (text: string) => text };
  return (await askOnce(ask, terms).outcome)?.answer;
}

/** All of them do their work, none as a process of `old`. In the order above. */
function healthy(old: readonly Status[] = []): Promise<readonly Status[]> {
  const isWell = ({ state, health, process }: Status): boolean =>
    state === 'running' && health.state === 'ok' && !old.some((was) => was.process?.pid === process?.pid);
  const look = (): false | readonly Status[] => {
    const well = statuses().filter(isWell);
    const found = ANSWERING.flatMap(({ name }) => well.filter((one) => one.name === name));
    return found.length === ANSWERING.length && found;
  };
  return until('all are healthy', look, 90);
}

describe('the daemons of Debian', () => {
  it.each(each)('%s has failed while it is down', async (_name, one) => {
    expect(await asked(one)).toMatchObject({ result: 'failed', detail: expect.stringMatching(/^(refused|no socket)/) });
  });

  it('are all run by a keeper, and found healthy', async () => {
    writeConfig(CONFIG);
    keeper = await Keeper.start();
    for (const { health } of await healthy()) expect(health.heartbeats[0]?.result).toBe('good');
  });

  it.each(each)('%s is good while it works', async (_name, one) => {
    expect(await asked(one)).toMatchObject({ result: 'good', detail: expect.stringMatching(one.good) });
  });

  // Shorter than the keeper needs to find it out.
  it.each(each)('%s has failed while it stands still', async (_name, one) => {
    await standStill(one);
    try {
      const stopped = await asked(one, 500);
      expect(stopped).toMatchObject({ result: 'failed', detail: expect.stringMatching(/^no answer within 0.5 s/) });
    } finally {
      goOn(one);
    }
  });
});

describe('a keeper that asks them', () => {
  it('asks by nobody who has any rights', () => {
    const askers = processes().filter(({ argv }) => argv.some((word) => word.endsWith('/asker.js')));
    expect(askers.length).toBeGreaterThan(0);
    for (const { pid } of askers) {
      const of = statusOf(pid);
      expect(of.get('Uid')).not.toMatch(/\b0\b/);
      expect(of.get('Gid')).not.toMatch(/\b0\b/);
      expect(of.get('CapEff')).toMatch(/^0+$/);
      expect(of.get('NoNewPrivs')).toBe('1');
    }
  });

  it('does not take the silence of OpenSSH’s agent towards a foreign user for a failure', async () => {
    // Who may not even connect has no permission, which is told as such.
    chmodSync(AGENT, 0o600);
    const detail = (): string => status('stranger').health.heartbeats[0]?.detail ?? '';
    await until('no permission', () => detail().startsWith('no permission for '));
    chmodSync(AGENT, 0o666);
    await until('it is told apart', () => detail().startsWith("OpenSSH's agent answers its own user only"));
    expect(status('stranger')).toMatchObject({ state: 'running', restarts: { total: 0 } });
  });

  it('brings back all of them when they stand still in the same instant', async () => {
    const before = await healthy();
    await Promise.all(ANSWERING.map(standStill));
    for (const { lastDeath } of await healthy(before)) expect(lastDeath?.cause).toBe('heartbeat');
    for (const { state } of ANSWERING.flatMap(processesOf)) expect(state).not.toBe('T');
  });
});
