// Checks of @upkeep/service: the example of seed 004 under either manager, unchanged.

import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Check, inState, type Kept } from './protocol-check.js';
import { until } from './sandbox-machine.js';

const EXAMPLE = fileURLToPath(new URL('../../clients/node/examples/shellflip.mjs', import.meta.url));

interface Answer {
  readonly generation: number;
  readonly mode: { readonly manager: string };
}

/** By the generation with this number. */
const answered = (kept: Kept, generation: number): Promise<Answer> =>
  until(
    `generation ${generation} serves in ${kept.place}`,
    async () => {
      const answer = (await get(kept, '')) as Answer;
      return answer.generation === generation && answer;
    },
    60,
  );

/** Not by fetch: that gives a connection up after ten seconds in which another check had this process wait, and it had long been made. */
const get = (kept: Kept, path: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const url = `http://127.0.0.1:${kept.addressOf('http')}/${path}`;
    request(url, { agent: false }, (answer) => void json(answer).then(resolve, reject))
      .on('error', reject)
      .end();
  });

/** What the service says to being restarted: null: nothing against it, or it has ended for it. */
async function restart(kept: Kept): Promise<string | null> {
  try {
    const { error = null } = (await get(kept, 'restart')) as { readonly error?: string | null };
    return error;
  } catch {
    return null;
  }
}

const SUCCESSOR_SAYS_NO = 'is one too many';

/** Not while the generation before the last one still finishes: that is refused by Upkeep, not by a successor. */
const restarted = async (kept: Kept): Promise<'yes' | 'refused'> =>
  until('it is restarted', async () => {
    const reason = await restart(kept);
    if (reason === null) return 'yes';
    return reason.includes(SUCCESSOR_SAYS_NO) && 'refused';
  });

const MANAGER = 'the library says that it runs under';
const REFUSED = 'after the fifth generation has refused the state, the service is';

const shellflip: Check = {
  cites: 'E1',
  id: 'shellflip',
  script: () => `exec ${process.execPath} ${EXAMPLE}`,
  unit: () => ['Type=notify', 'FileDescriptorStoreMax=4', 'Restart=no', 'RestartForceExitStatus=75'],
  settings: () => ({
    ready: 'notify',
    fdStore: 4,
    handover: 'overlap',
    restart: { when: 'never', alwaysAfter: [75] },
  }),
  sockets: [{ name: 'http', type: 'tcp', start: 'with the service' }],
  play: async (kept) => {
    // It answers a moment before it is known to be ready: a restart of one that still starts is a stop and a start.
    await inState(kept, 'up');
    const { mode } = await answered(kept, 1);
    const served: number[] = [1];
    for (const generation of [2, 3, 4]) {
      await restarted(kept);
      served.push((await answered(kept, generation)).generation);
    }
    const { state } = (await restarted(kept)) === 'refused' ? await kept.look() : await inState(kept, 'failed');
    return {
      [MANAGER]: mode.manager,
      'generations that serve after a restart of its own, by the state that each has from the last': served.join(', '),
      [REFUSED]: state,
    };
  },
  differs: {
    [MANAGER]: 'It says who it is.',
    [REFUSED]: 'The fourth goes on. Under systemd it has ended before there is a fifth, and nobody is left to go on.',
  },
};

export const libraryChecks: readonly Check[] = [shellflip];
