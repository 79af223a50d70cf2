// The wish of seed 000 for real: OpenSSH's agent with a real key, a witness that connects to it once. Whatever ends the witness, the
// agent is restarted, from clean state, and then the witness, each once, and it cosigns again without a hand.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServiceStatus } from '../../src/core/status.js';
import { asTheArticleHasIt, type Couple, coupled } from '../support/agent-and-witness.js';
import { type Cosigning, cosign, hasAgent, prepareCosigning, SSH_ADD, SSH_AGENT } from '../support/cosigning.js';
import { type Home, newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';

const AGENT = 'tkey-ssh-agent';
const WITNESS = 'litewitness';

interface Both {
  readonly agent: ServiceStatus;
  readonly witness: ServiceStatus;
}

/** A keeper that keeps the two. */
interface Kept {
  readonly home: Home;
  readonly couple: Couple;
  readonly cosigns: () => Promise<boolean>;
  readonly both: () => Promise<Both>;
}

const isUp = ({ state }: ServiceStatus): boolean => state === 'running';
const pidOf = ({ process }: ServiceStatus): number => process?.pid ?? 0;

async function keep(told: typeof coupled): Promise<Kept> {
  const home = newHome();
  const cosigning: Cosigning = prepareCosigning(home.at('cosigning'));
  const couple: Couple = {
    ...{ agent: AGENT, witness: WITNESS },
    ...{ agentSocket: home.at('agent/agent.sock'), witnessSocket: home.at('witness/witness.sock') },
  };
  home.configure(told(cosigning, couple));
  await home.start();
  const cosigns = async (): Promise<boolean> => (await cosign(couple.witnessSocket, cosigning.publicKey)) === 'good';
  const both = async (): Promise<Both> => ({ agent: await home.service(AGENT), witness: await home.service(WITNESS) });
  await home.until('it cosigns', cosigns);
  await home.until('both have started', async () => Object.values(await both()).every(isUp));
  return { home, couple, cosigns, both };
}

/** Once both run, each started once more, and it cosigns. */
async function restarted({ home, cosigns, both }: Kept, before: Both): Promise<Both> {
  let now = before;
  await home.until(
    () => `both restarted; it is ${JSON.stringify(now, null, 1)}`,
    async () => {
      now = await both();
      const isNew = (name: keyof Both): boolean => isUp(now[name]) && pidOf(now[name]) !== pidOf(before[name]);
      return isNew('agent') && isNew('witness');
    },
  );
  await home.until('it cosigns again', cosigns);
  // Asked again behind the signature: what is too much would have come by now or comes of what is too much.
  now = await both();
  expect([now.agent.generation, now.witness.generation]).toEqual([
    before.agent.generation + 1,
    before.witness.generation + 1,
  ]);
  return now;
}

/** How often the history says that of the agent, and of the witness. */
async function said({ home }: Kept, what: string): Promise<readonly number[]> {
  const { stdout } = await home.upkeep('history', '--json');
  const { entries } = JSON.parse(stdout) as { readonly entries: readonly { service: string | null; what: string }[] };
  return [AGENT, WITNESS].map((name) => entries.filter((one) => one.service === name && one.what === what).length);
}

const charged = ({ agent, witness }: Both): readonly number[] => [agent.restarts.total, witness.restarts.total];

/** How the witness ends without being asked to. */
const UNASKED = [
  ['kill -9', 'SIGKILL'],
  ['an exit with 0', 'SIGINT'],
  ['a crash', 'SIGSEGV'],
] as const;

describe.skipIf(!hasAgent)('when the witness ends', () => {
  it.each(UNASKED)('by %s, both are restarted, once, at its expense', async (_, name) => {
    const kept = await keep(coupled);
    const before = await kept.both();
    signal(pidOf(before.witness), name);
    const now = await restarted(kept, before);
    expect(charged(now)).toEqual([0, 1]);
    expect(now.agent.lastDeath?.cause).toBe('coupling');
    expect(now.witness.lastDeath?.cause).toBe(name === 'SIGINT' ? 'exit' : 'signal');
    // It is written down a moment later.
    await kept.home.until('the history', async () => (await said(kept, 'ready')).every((times) => times >= 2));
    expect(await said(kept, 'ready')).toEqual([2, 2]);
    expect(await said(kept, 'died')).toEqual([0, 1]);
    expect(await said(kept, 'waved')).toEqual([0, 1]);
  });

  it('by an operator’s restart, both are restarted, once, uncharged', async () => {
    const kept = await keep(coupled);
    const before = await kept.both();
    expect(await kept.home.upkeep('restart', WITNESS)).toMatchObject({ code: 0 });
    const now = await restarted(kept, before);
    expect(charged(now)).toEqual([0, 0]);
    expect(now.witness.lastDeath?.cause).toBe('requested');
  });

  it('by an operator’s stop, the agent is restarted at once, and once; the witness stays down until it is started', async () => {
    const kept = await keep(coupled);
    const before = await kept.both();
    expect(await kept.home.upkeep('stop', WITNESS)).toMatchObject({ code: 0 });
    const agent = await kept.home.when(
      AGENT,
      ({ state, generation }) => state === 'running' && generation > 0 && generation !== before.agent.generation,
    );
    expect(agent.generation).toBe(before.agent.generation + 1);
    expect(await kept.home.service(WITNESS)).toMatchObject({ state: 'stopped', generation: before.witness.generation });
    expect(await kept.cosigns()).toBe(false);
    expect(await kept.home.upkeep('start', WITNESS)).toMatchObject({ code: 0 });
    const now = await restarted(kept, before);
    expect(charged(now)).toEqual([0, 0]);
    expect(pidOf(now.agent)).toBe(pidOf(agent));
  });
});

describe.skipIf(!hasAgent)('when the agent ends', () => {
  it('by kill -9, its stale socket hinders nothing, and both are restarted, once, at its expense', async () => {
    const kept = await keep(coupled);
    const before = await kept.both();
    signal(pidOf(before.agent), 'SIGKILL');
    const now = await restarted(kept, before);
    expect(charged(now)).toEqual([1, 0]);
  });

  it('by an operator’s restart, both are restarted, once', async () => {
    const kept = await keep(coupled);
    const before = await kept.both();
    expect(await kept.home.upkeep('restart', AGENT)).toMatchObject({ code: 0 });
    expect(charged(await restarted(kept, before))).toEqual([0, 0]);
  });

  it('together with the witness, in the same instant, each is restarted once', async () => {
    const kept = await keep(coupled);
    const before = await kept.both();
    signal(pidOf(before.agent), 'SIGKILL');
    signal(pidOf(before.witness), 'SIGKILL');
    await restarted(kept, before);
  });

  it('by an operator’s stop, the witness goes down first, both stay down, and a start of the agent brings both back', async () => {
    const kept = await keep(coupled);
    const before = await kept.both();
    expect(await kept.home.upkeep('stop', AGENT)).toMatchObject({ code: 0 });
    expect(await kept.home.service(AGENT)).toMatchObject({ state: 'stopped' });
    // It had its signal while its agent was there: it did not end by the broken connection.
    expect((await kept.both()).witness.lastDeath).toMatchObject({ cause: 'coupling', signal: 'SIGTERM' });
    expect(existsSync(kept.couple.agentSocket)).toBe(false);
    expect(await kept.home.upkeep('start', AGENT)).toMatchObject({ code: 0 });
    await restarted(kept, before);
  });
});

describe.skipIf(!hasAgent)('when the agent hangs', () => {
  it.each(UNASKED)('and the witness then ends by %s, both are restarted, once', async (_, name) => {
    const kept = await keep(coupled);
    const before = await kept.both();
    signal(pidOf(before.agent), 'SIGSTOP');
    signal(pidOf(before.witness), name);
    expect(charged(await restarted(kept, before))).toEqual([0, 1]);
  });

  it('at its start, where it listens and never signs, that start has failed, and the next one cosigns', async () => {
    const kept = await keep(muteAtFirst);
    const { agent, witness } = await kept.both();
    expect(agent.generation).toBeGreaterThan(1);
    expect(witness.generation).toBe(1);
  });
});

/** The agent's first process is one that takes connections and never answers. */
const muteAtFirst: typeof coupled = (cosigning, couple) => {
  const services = coupled(cosigning, couple);
  const mute = `require('net').createServer().listen('${couple.agentSocket}')`;
  const script = 'if mkdir "$1"; then exec "$2" -e "$3"; fi; shift 3; exec "$@"';
  const tried = `${dirname(cosigning.key)}/tried`;
  return {
    ...services,
    [AGENT]: {
      ...services[AGENT],
      run: ['sh', '-c', script, 'sh', tried, process.execPath, mute, SSH_AGENT, '-D', '-a', couple.agentSocket],
      hooks: { afterStart: { exec: `${SSH_ADD} -q ${cosigning.key}`, timeout: '3s' } },
    },
  };
};

describe.skipIf(!hasAgent)('the unit of the article, word for word', () => {
  it.each(UNASKED)('restarts both, once, when the witness ends by %s', async (_, name) => {
    const kept = await keep(asTheArticleHasIt);
    const before = await kept.both();
    signal(pidOf(before.witness), name);
    expect(charged(await restarted(kept, before))).toEqual([0, 1]);
  });

  it('restarts both, once, at an operator’s restart', async () => {
    const kept = await keep(asTheArticleHasIt);
    const before = await kept.both();
    expect(await kept.home.upkeep('restart', WITNESS)).toMatchObject({ code: 0 });
    expect(charged(await restarted(kept, before))).toEqual([0, 0]);
  });

  it('means at an operator’s stop that the agent, which needs the witness, goes down too, and comes back with it', async () => {
    const kept = await keep(asTheArticleHasIt);
    const before = await kept.both();
    expect(await kept.home.upkeep('stop', WITNESS)).toMatchObject({ code: 0 });
    await kept.home.when(AGENT, ({ process }) => process === null);
    expect(await kept.home.upkeep('start', WITNESS)).toMatchObject({ code: 0 });
    await restarted(kept, before);
  });
});
