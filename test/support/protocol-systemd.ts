// Services of the checks below a real systemd, as unit files.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckedSocket, Kept, Manager, Seen, State } from './protocol-check.js';
import { isLazy, type Staged, staged } from './protocol-stage.js';
import type { Systemd } from './sandbox-systemd.js';

const UNITS = '/etc/systemd/system';
const PROPERTIES = 'ActiveState,SubState,StatusText,MainPID,Result,NFileDescriptorStore';

const STATES: ReadonlyMap<string, State> = new Map([
  ['activating', 'starting'],
  ['active', 'up'],
  ['reloading', 'reloading'],
  ['deactivating', 'ending'],
  ['inactive', 'down'],
  ['failed', 'failed'],
]);

export function protocolOfSystemd(systemd: Systemd, home: string): Manager {
  const systemctl = (...words: readonly string[]): void => {
    const ran = systemd.run('systemctl', ...words);
    if (ran.code !== 0) throw new Error(`systemctl ${words.join(' ')}: ${ran.stderr}`);
  };
  const written: string[] = [];
  const write = (unit: string, text: string): void => {
    written.push(join(UNITS, unit));
    writeFileSync(join(UNITS, unit), text);
  };
  return {
    keep: async (checks) => {
      const all = await staged(checks, home);
      for (const one of all) {
        write(serviceOf(one), serviceText(one));
        for (const socket of one.check.sockets ?? []) write(socketOf(one, socket), socketText(one, socket));
      }
      systemctl('daemon-reload');
      systemctl('start', ...all.flatMap((one) => (one.check.sockets ?? []).map((socket) => socketOf(one, socket))));
      systemctl('start', '--no-block', ...all.filter(({ check }) => !isLazy(check)).map(serviceOf));
      return all.map((one) => keptBy(systemd, one));
    },
    end: async () => {
      for (const file of written) rmSync(file);
      await systemd.end();
    },
  };
}

function keptBy(systemd: Systemd, one: Staged): Kept {
  return {
    check: one.check,
    place: one.place,
    look: async () => seenIn(await systemd.answer('systemctl', 'show', '-p', PROPERTIES, serviceOf(one))),
    act: (verb) => {
      systemd.run('systemctl', verb, '--no-block', serviceOf(one));
    },
    beside: (...words) => systemd.run(...words),
    addressOf: one.addressOf,
  };
}

const serviceOf = ({ name }: Staged): string => `${name}.service`;
const socketOf = ({ name }: Staged, socket: CheckedSocket): string => `${name}-${socket.name}.socket`;

const serviceText = ({ check, place, command }: Staged): string => `[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=${command.join(' ')}
LimitCORE=0
${check.unit(place).join('\n')}
`;

function socketText(one: Staged, socket: CheckedSocket): string {
  const address = one.addressOf(socket.name);
  const listen = socket.type === 'udp' ? 'ListenDatagram' : 'ListenStream';
  return `[Unit]
DefaultDependencies=no
[Socket]
${listen}=${typeof address === 'number' ? `127.0.0.1:${address}` : address}
FileDescriptorName=${socket.name}
Service=${serviceOf(one)}
`;
}

function seenIn(shown: string): Seen {
  const property = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(shown)?.[1] ?? '';
  const state = STATES.get(property('ActiveState'));
  if (state === undefined) throw new Error(`systemctl show says ${shown}`);
  return {
    state: property('SubState') === 'auto-restart' ? 'again' : state,
    text: property('StatusText'),
    main: Number(property('MainPID')),
    result: property('Result'),
    stored: Number(property('NFileDescriptorStore')),
  };
}
