// With real connections: a Unix socket on whose other side a service speaks, or does not.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import type { Event } from '../core/event.js';
import { asPid, type ProcessRef } from '../core/process.js';
import { newService, type Service } from '../core/state.js';
import { instant } from '../core/time.js';
import { StateFiles } from '../kernel/state-files.js';
import type { HandoverChannel } from './handover-channel.js';
import { HandoverChannels } from './handover-channels.js';

const spec = supervised({ name: 'web' });
const web = spec.name;
const ref = (pid: number): ProcessRef => ({ pid: asPid(pid), startTicks: 7, inode: null });
const [old, fresh] = [ref(100), ref(200)];

let directory: string;
let server: Server;
let service: Service;
let posted: Event[];
let notified: string[];
let complaints: string[];
let files: StateFiles;
let channels: HandoverChannels;
let accepted: ((socket: Socket) => void)[];

/** What a service sees of its channel. */
interface Line {
  readonly socket: Socket;
  readonly channel: HandoverChannel;
  readonly told: unknown[];
  isClosed: boolean;
  say(word: object): void;
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-channels-'));
  mkdirSync(join(directory, 'run'));
  accepted = [];
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.shift()?.(socket));
  await new Promise<void>((resolve) => server.listen(join(directory, 'sock'), resolve));
  service = newService(spec, instant(0));
  running(old);
  posted = [];
  notified = [];
  complaints = [];
  files = new StateFiles(join(directory, 'run', 'handover'));
  channels = make(0);
});

afterEach(() => {
  channels.close();
  server.close();
  rmSync(directory, { recursive: true });
});

const make = (grace: number): HandoverChannels =>
  new HandoverChannels({
    post: (event) => void posted.push(event),
    services: () => new Map([[web, service]]),
    files,
    notified: (name, { process }, text) => void notified.push(`${name} ${process.pid} ${text}`),
    complain: (name, text) => void complaints.push(`${name}: ${text}`),
    grace,
    moment: 50,
  });

function running(process: ProcessRef): void {
  service = { ...service, state: { name: 'running', since: instant(0), process, helper: null, deadline: null } };
}

function handingOver(): void {
  const state = {
    ...{ name: 'handover', since: instant(0), process: old, servedSince: instant(0), generation: 2 },
    ...{ successor: fresh, phase: 'warming', hook: 0, helper: null, why: 'requested', deadline: null },
  } as const;
  service = { ...service, state: { ...state, said: service.said } as Service['state'] };
}

async function dial(process: ProcessRef, kinOf: ProcessRef = process): Promise<Line> {
  const opened = new Promise<HandoverChannel>((resolve) => {
    accepted.push((socket) => resolve(channels.open(web, { process, uid: 0, isMember: 'yes', kinOf }, socket)));
  });
  const socket = connect(join(directory, 'sock'));
  const told: unknown[] = [];
  let rest = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    told.push(...lines.map((line): unknown => JSON.parse(line)));
  });
  const line: Line = {
    socket,
    channel: await opened,
    told,
    isClosed: false,
    say: (word) => void socket.write(`${JSON.stringify(word)}\n`),
  };
  socket.on('close', () => {
    line.isClosed = true;
  });
  return line;
}

async function greeted(process: ProcessRef, state = true): Promise<Line> {
  const line = await dial(process);
  line.say({ say: 'hello', state });
  await until(() => line.channel.state !== null);
  return line;
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 20_000, interval: 5 }).toBe(true);
}

const heard = (): readonly Event[] => posted.filter(({ type }) => type === 'heard');

describe('an order to hand state over', () => {
  it('is answered at once where nobody is connected, and the new one is told that there is none', async () => {
    const next = await greeted(fresh);
    channels.export({ type: 'export', spec, from: old, to: fresh });
    expect(heard()).toEqual([{ type: 'heard', service: web, process: old, word: { type: 'noState' } }]);
    await until(() => next.told.length > 0);
    expect(next.told).toEqual([{ do: 'import', from: null }]);
  });

  it('is answered at once by one that has said that it cannot', async () => {
    await greeted(old, false);
    channels.export({ type: 'export', spec, from: old, to: null });
    expect(heard()).toMatchObject([{ word: { type: 'noState' } }]);
  });

  it('goes to the old one, and the new one is told where to read', async () => {
    const [from, to] = [await greeted(old), await greeted(fresh)];
    handingOver();
    to.say({ say: 'wantsState' });
    await until(() => heard().length > 0);
    expect(heard()).toEqual([{ type: 'heard', service: web, process: fresh, word: { type: 'wantsState' } }]);
    channels.export({ type: 'export', spec, from: old, to: fresh });
    await until(() => from.told.length > 0 && to.told.length > 0);
    const path = join(directory, 'run/handover/web.d/pipe');
    expect([from.told, to.told]).toEqual([[{ do: 'export', to: path }], [{ do: 'import', from: path }]]);
    from.say({ say: 'exported', bytes: 7 });
    await until(() => heard().length > 1);
    expect(heard()[1]).toMatchObject({ process: old, word: { type: 'exported', bytes: 7 } });
    // Nobody has asked any more.
    from.say({ say: 'exportFailed', reason: 'late' });
    from.say({ say: 'notify', text: 'STATUS=after' });
    await until(() => notified.length > 0);
    expect(heard()).toHaveLength(2);
  });

  it('waits a while for a process of an earlier keeper to connect: it must not lose its state for that', async () => {
    channels = make(60_000);
    channels.export({ type: 'export', spec, from: old, to: null });
    expect(heard()).toEqual([]);
    const from = await greeted(old);
    await until(() => from.told.length > 0);
    expect(from.told).toEqual([{ do: 'export', to: join(directory, 'run/handover/web.d/state') }]);
  });

  it('waits for nobody who has known no other keeper', () => {
    channels = make(60_000);
    const young: ProcessRef = { ...old, startTicks: Number.MAX_SAFE_INTEGER };
    running(young);
    channels.export({ type: 'export', spec, from: young, to: null });
    expect(posted).toEqual([{ type: 'heard', service: web, process: young, word: { type: 'noState' } }]);
  });

  it('has failed when its channel is lost, unless something else is heard of it first', async () => {
    const from = await greeted(old);
    channels.export({ type: 'export', spec, from: old, to: fresh });
    from.socket.destroy();
    await until(() => heard().length > 0);
    expect(heard()).toMatchObject([{ process: old, word: { type: 'exportFailed', reason: /closed meanwhile/ } }]);
    const again = await greeted(old);
    channels.export({ type: 'export', spec, from: old, to: fresh });
    again.socket.destroy();
    await until(() => again.isClosed);
    channels.endExport(web);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard()).toHaveLength(1);
  });
});

describe('a word', () => {
  it('waits for a process that is not connected, and for nobody else', async () => {
    handingOver();
    channels.say(web, fresh, { type: 'accept' });
    const other = await greeted(old);
    const next = await greeted(fresh);
    await until(() => next.told.length > 0);
    expect([other.told, next.told]).toEqual([[], [{ do: 'accept' }]]);
  });

  it('is said again to who has lost the channel: it may not have come through', async () => {
    const first = await greeted(old);
    channels.say(web, old, { type: 'drain' });
    first.socket.destroy();
    const second = await greeted(old);
    await until(() => second.told.length > 0);
    expect(second.told).toEqual([{ do: 'drain' }]);
  });

  it('that all came to nothing is not said again', async () => {
    const first = await greeted(old);
    channels.say(web, old, { type: 'thaw', reason: 'x' });
    await until(() => first.told.length > 0);
    first.socket.destroy();
    const second = await greeted(old);
    channels.say(web, old, { type: 'drain' });
    await until(() => second.told.length > 0);
    expect(second.told).toEqual([{ do: 'drain' }]);
  });

  it('reaches a main process by the channel of a child of it, and that of a child counts as its own', async () => {
    const child = await dial(ref(101), old);
    child.say({ say: 'hello', state: true });
    await until(() => child.channel.state !== null);
    channels.say(web, old, { type: 'drain' });
    await until(() => child.told.length > 0);
    child.say({ say: 'refused', reason: 'no' });
    await until(() => heard().length > 0);
    expect(heard()).toMatchObject([{ process: old, word: { type: 'refused', reason: 'no' } }]);
  });
});

describe('a state that was left in a file', () => {
  it('is given to the generation that asks, and gone when that one is ready', async () => {
    const path = files.fileOf(spec);
    writeFileSync(path, 'UPKSTATE');
    const line = await greeted(old);
    line.say({ say: 'wantsState' });
    await until(() => line.told.length > 0);
    expect(line.told).toEqual([{ do: 'import', from: path }]);
    expect(heard()).toEqual([]);
    const what = { type: 'ready', process: old, took: 1 } as const;
    channels.tell([{ service: web, what } as never], new Map());
    expect(existsSync(path)).toBe(false);
    line.say({ say: 'wantsState' });
    await until(() => line.told.length > 1);
    expect(line.told[1]).toEqual({ do: 'import', from: null });
  });

  it('and was not taken is kept beside, the latest one only, and the log says where; the next one gets none', async () => {
    const path = files.fileOf(spec);
    const kept = `${path}.refused`;
    const line = await greeted(old);
    for (const [index, type] of (['startFailed', 'failed'] as const).entries()) {
      writeFileSync(path, `state ${index}`);
      channels.tell([{ service: web, what: { type } } as never], new Map());
      expect([existsSync(path), readFileSync(kept, 'utf8')]).toEqual([false, `state ${index}`]);
    }
    const sentence = `web: the state that it did not take is kept in ${kept}; the next start begins without`;
    expect(complaints).toEqual([sentence, sentence]);
    line.say({ say: 'wantsState' });
    await until(() => line.told.length > 0);
    expect(line.told).toEqual([{ do: 'import', from: null }]);
    // Nothing was left: there is nothing to tell.
    channels.tell([{ service: web, what: { type: 'startFailed' } } as never], new Map());
    expect([complaints.length, existsSync(kept)]).toEqual([2, true]);
    channels.tell([{ service: web, what: { type: 'removed' } } as never], new Map());
    expect(existsSync(kept)).toBe(false);
  });
});

describe('a service that says', () => {
  it('how it is, says it as by sd_notify', async () => {
    const line = await dial(old);
    line.say({ say: 'notify', text: 'READY=1' });
    await until(() => notified.length > 0);
    expect(notified).toEqual(['web 100 READY=1']);
  });

  it.each([
    ['no JSON', 'READY=1\n', /no object of JSON/],
    ['a line without end', 'x'.repeat(70_000), /longer than 65536/],
    ['a word without what belongs to it', '{"say":"notify"}\n', /needs a "text"/],
  ])('%s, loses the channel and is told why', async (_, text, reason) => {
    const line = await dial(old);
    line.socket.write(text);
    await until(() => line.isClosed);
    expect(line.told).toEqual([{ do: 'close', reason: expect.stringMatching(reason) }]);
    expect(complaints).toEqual([expect.stringMatching(reason)]);
  });

  it('a flood delays nobody else: its lines wait their turn', async () => {
    const [loud, quiet] = [await greeted(old), await greeted(fresh)];
    const line = `${JSON.stringify({ say: 'notify', text: 'STATUS=flood' })}\n`;
    for (let i = 0; i < 20; i++) loud.socket.write(line.repeat(1000));
    quiet.say({ say: 'notify', text: 'READY=1' });
    await until(() => notified.includes('web 200 READY=1'));
    const at = notified.indexOf('web 200 READY=1');
    await until(() => notified.length === 20_001);
    expect(at).toBeLessThan(15_000);
  });

  it('nothing, and does not read either, holds up nobody', async () => {
    const line = await dial(old);
    line.socket.pause();
    for (let i = 0; i < 3000 && complaints.length === 0; i++)
      channels.say(web, old, { type: 'thaw', reason: 'x'.repeat(1000) });
    expect(complaints).toEqual([expect.stringMatching(/does not read/)]);
  });

  it('nothing, and does not read why its channel is closed either, keeps nothing open', async () => {
    const line = await dial(old);
    line.socket.pause();
    // As much as the kernel takes for who does not read, and a little more.
    for (let i = 0; i < 3000 && line.channel.unread === 0; i++)
      line.channel.tell({ type: 'export', to: 'x'.repeat(1000) });
    expect(line.channel.unread).toBeGreaterThan(0);
    line.channel.close('the keeper ends');
    await until(() => line.channel.isGone);
    line.socket.destroy();
  });
});
