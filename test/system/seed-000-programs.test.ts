// The two programs of seed 000 by themselves, before anybody keeps them: OpenSSH's agent with a real key, and a witness with the habits
// of litewitness that make the seed's wish necessary.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Cosigning,
  cosign,
  hasAgent,
  prepareCosigning,
  SSH_ADD,
  SSH_AGENT,
  witnessCommand,
} from '../support/cosigning.js';
import { type Home, newHome } from '../support/keeper.js';
import { type Running, signal } from '../support/running.js';

let home: Home;
let cosigning: Cosigning;
let agentSocket: string;
let witnessSocket: string;

beforeEach(() => {
  home = newHome();
  cosigning = prepareCosigning(home.at('cosigning'));
  mkdirSync(home.at('sockets'));
  agentSocket = join(home.at('sockets'), 'agent.sock');
  witnessSocket = join(home.at('sockets'), 'witness.sock');
});

async function startAgent(): Promise<Running> {
  const agent = home.spawn([SSH_AGENT, '-D', '-a', agentSocket]);
  await home.until('the agent listens', () => existsSync(agentSocket));
  return agent;
}

async function addKey(): Promise<void> {
  const added = await home.spawn([SSH_ADD, '-q', cosigning.key], { env: { SSH_AUTH_SOCK: agentSocket } }).ended;
  expect(added).toMatchObject({ code: 0 });
}

const startWitness = (): Running => home.spawn(witnessCommand(cosigning, { agentSocket, witnessSocket }));

async function startBoth(): Promise<{ readonly agent: Running; readonly witness: Running }> {
  const agent = await startAgent();
  await addKey();
  const witness = startWitness();
  await home.until('it cosigns', async () => (await cosign(witnessSocket, cosigning.publicKey)) === 'good');
  return { agent, witness };
}

describe.skipIf(!hasAgent)('the witness', () => {
  it('signs with the key that the agent holds, as often as it is asked, and SIGINT ends it with 0', async () => {
    const { witness } = await startBoth();
    const many = Array.from({ length: 20 }, () => cosign(witnessSocket, cosigning.publicKey));
    expect(new Set(await Promise.all(many))).toEqual(new Set(['good']));
    expect(await witness.end('SIGINT')).toMatchObject({ code: 0 });
  });

  it('never connects again: when its agent dies it ends with 1', async () => {
    const { agent, witness } = await startBoth();
    signal(agent.pid, 'SIGKILL');
    expect(await witness.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('the agent broke') });
  });

  it('ends with 1 without an agent, and with one that has no key', async () => {
    const alone = startWitness();
    expect(await alone.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot reach the agent') });
    await startAgent();
    const keyless = startWitness();
    expect(await keyless.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('has no key') });
  });

  it('waits for a hung agent before it listens, and so looks alive', async () => {
    const agent = await startAgent();
    await addKey();
    signal(agent.pid, 'SIGSTOP');
    const witness = startWitness();
    let life: 'goes on' | 'is over' = 'goes on';
    void witness.ended.then(() => {
      life = 'is over';
    });
    await home.until('it is connected', () => witness.said().includes('connected to its agent'));
    expect([life, existsSync(witnessSocket)]).toEqual(['goes on', false]);
    signal(agent.pid, 'SIGCONT');
    await home.until('it cosigns', async () => (await cosign(witnessSocket, cosigning.publicKey)) === 'good');
  });
});

describe.skipIf(!hasAgent)("OpenSSH's agent", () => {
  it('removes its socket at SIGTERM, leaves it after kill -9, and then does not start on it', async () => {
    const polite = await startAgent();
    expect(await polite.end('SIGTERM')).toMatchObject({ code: 2 });
    expect(existsSync(agentSocket)).toBe(false);
    const killed = await startAgent();
    await killed.end('SIGKILL');
    expect(existsSync(agentSocket)).toBe(true);
    const next = home.spawn([SSH_AGENT, '-D', '-a', agentSocket]);
    expect(await next.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('in use') });
  });
});
