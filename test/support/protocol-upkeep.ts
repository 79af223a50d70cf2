// Services of the checks below a real keeper.

import { call } from '../../src/control/client.js';
import type { FdsDocument, ServiceStatus, Status } from '../../src/core/status.js';
import type { CheckedSocket, Kept, Manager, Seen, State } from './protocol-check.js';
import { isLazy, type Staged, staged } from './protocol-stage.js';
import { forgetEverything, Keeper, upkeep, writeConfig } from './sandbox-keeper.js';
import { run } from './sandbox-machine.js';

const STATES: Readonly<Record<ServiceStatus['state'], State>> = {
  unknown: 'starting',
  starting: 'starting',
  running: 'up',
  handover: 'up',
  stopping: 'ending',
  backoff: 'again',
  waiting: 'down',
  stopped: 'down',
  skipped: 'down',
  done: 'down',
  failed: 'failed',
};

/** Causes that systemd has another word for. */
const RESULTS: ReadonlyMap<string, string> = new Map([
  ['start-timeout', 'timeout'],
  ['exit', 'exit-code'],
]);

export function protocolOfUpkeep(home: string): Manager {
  let keeper: Keeper | null = null;
  return {
    keep: async (checks) => {
      const all = await staged(checks, home);
      forgetEverything();
      const services = Object.fromEntries(all.map((one) => [one.name, settingsOf(one)]));
      // Some of them are never ready, and nobody is to wait for those.
      writeConfig(JSON.stringify({ keeper: { limits: { parallel: all.length } }, services }));
      keeper = await Keeper.start();
      return all.map(kept);
    },
    end: async () => {
      await keeper?.stop();
    },
  };
}

const kept = (one: Staged): Kept => ({
  check: one.check,
  place: one.place,
  look: async () => {
    const { services } = (await get('/v1/status')) as Status;
    const service = services.find(({ name }) => name === one.name);
    if (service === undefined) throw new Error(`there is no ${one.name}`);
    const { descriptors } = (await get(`/v1/services/${one.name}/fds`)) as FdsDocument;
    return { ...seenIn(service), stored: descriptors.filter(({ held }) => held === 'stored').length };
  },
  act: (verb) => {
    upkeep(verb, one.name, '--no-wait');
  },
  beside: (program, ...words) => run(program, words),
  addressOf: one.addressOf,
});

async function get(path: string): Promise<unknown> {
  const answer = await call({ socket: '/run/upkeep/control.sock', method: 'GET', path, patience: 20_000 });
  if (answer.type !== 'ok') throw new Error(JSON.stringify(answer));
  return answer.body;
}

function settingsOf(one: Staged): Readonly<Record<string, unknown>> {
  const { check, command, place } = one;
  const sockets = (check.sockets ?? []).map((socket) => [socket.name, socketSettings(one, socket)]);
  return {
    run: command,
    ...(sockets.length === 0 ? {} : { sockets: Object.fromEntries(sockets) }),
    limits: { core: 0 },
    ...check.settings(place),
  };
}

function socketSettings(one: Staged, { name, type }: CheckedSocket): Readonly<Record<string, unknown>> {
  const address = one.addressOf(name);
  const at = typeof address === 'number' ? `127.0.0.1:${address}` : address;
  return { [type === 'udp' ? 'udp' : 'listen']: at, ...(isLazy(one.check) ? { lazy: true } : {}) };
}

function seenIn({ state, statusText, process, lastDeath, reloading }: ServiceStatus): Omit<Seen, 'stored'> {
  const cause = lastDeath?.cause ?? 'none';
  return {
    state: reloading === null ? STATES[state] : 'reloading',
    text: statusText ?? '',
    main: process?.pid ?? 0,
    result: lastDeath === null || lastDeath.code === 0 ? 'success' : (RESULTS.get(cause) ?? cause),
  };
}
