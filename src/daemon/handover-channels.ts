// The hand-over channels of all services: who is connected, what each is told, and what becomes of an order to hand state over
// when nobody is there to carry it out. A word for a process that is not connected waits for it; the last one is said again
// to who comes back, since who was told it may have lost it, and all of them may be said twice. Decides nothing about services.

import type { Socket } from 'node:net';
import type { Change } from '../core/change.js';
import type { Effect } from '../core/effect.js';
import { errorText } from '../core/error-text.js';
import type { Speaker } from '../core/event.js';
import { mainsOf } from '../core/generations.js';
import type { KeeperWord, ServiceWord } from '../core/handover-word.js';
import { isSameProcess, type ProcessRef } from '../core/process.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { ServiceSet } from '../core/state.js';
import type { Handovers, Post, Sink } from '../keeper/ports.js';
import { ticksNow } from '../kernel/boot-clock.js';
import type { StateFiles } from '../kernel/state-files.js';
import type { Order, Saying } from '../protocol/handover-line.js';
import { HandoverChannel } from './handover-channel.js';

export type ExportOrder = Extract<Effect, { type: 'export' }>;

export interface HandoverChannelsParts {
  readonly post: Post;
  readonly services: () => ServiceSet;
  readonly files: StateFiles;
  /** What is said for a datagram of sd_notify. */
  readonly notified: (service: ServiceName, speaker: Speaker, text: string) => void;
  readonly complain: (service: ServiceName, text: string) => void;
  /** How long a process of an earlier keeper may take to connect to this one, in ms. */
  readonly grace?: number;
  /** How long the death of who was connected may take to be heard of, in ms. */
  readonly moment?: number;
}

/** What a process is to be told when it connects. */
interface Note {
  readonly process: ProcessRef;
  readonly from: Extract<Order, { type: 'import' }> | null;
  readonly word: KeeperWord | null;
}

interface Export {
  readonly order: ExportOrder;
  /** Who was told to; null: its process is not connected, and may be soon. */
  channel: HandoverChannel | null;
  timer: NodeJS.Timeout | null;
}

const GRACE = 5000;
const MOMENT = 250;

export class HandoverChannels implements Handovers, Sink {
  readonly #parts: HandoverChannelsParts;
  readonly #channels = new Map<ServiceName, readonly HandoverChannel[]>();
  readonly #notes = new Map<ServiceName, readonly Note[]>();
  readonly #exports = new Map<ServiceName, Export>();
  readonly #begun = performance.now();
  readonly #begunTicks = ticksNow();

  constructor(parts: HandoverChannelsParts) {
    this.#parts = parts;
  }

  /** This connection is a channel of that process. */
  open(service: ServiceName, speaker: Speaker, socket: Socket): HandoverChannel {
    const channel: HandoverChannel = new HandoverChannel({
      socket,
      speaker,
      hear: (saying) => this.#hear(service, channel, saying),
      onClosed: () => this.#closed(service, channel),
      complain: (reason) => this.#parts.complain(service, `its hand-over channel was closed: ${reason}`),
    });
    this.#channels.set(service, [...(this.#channels.get(service) ?? []), channel]);
    return channel;
  }

  export(order: ExportOrder): void {
    const service = order.spec.name;
    this.#forget(service);
    const channel = this.#channelOf(service, order.from);
    const wait = this.#begun + (this.#parts.grace ?? GRACE) - performance.now();
    // Only who knew an earlier keeper has had a channel that it may be about to open again.
    const isOlder = order.from.startTicks < this.#begunTicks;
    const isExpected = isOlder && (channel === null || channel.state === null) && wait > 0;
    const asked: Export = { order, channel: null, timer: null };
    this.#exports.set(service, asked);
    if (isExpected) asked.timer = setTimeout(() => this.#carryOut(asked), wait);
    else this.#carryOut(asked);
  }

  endExport(service: ServiceName): void {
    this.#forget(service);
    this.#notes.set(
      service,
      this.#notesOf(service).map((note) => ({ ...note, from: null })),
    );
    this.#parts.files.endPipe(service);
    this.#parts.files.remove(service);
  }

  say(service: ServiceName, process: ProcessRef, word: KeeperWord): void {
    const channel = this.#channelOf(service, process);
    // Who has heard that it came to nothing need not hear it again; who takes over, or ends, may have to.
    if (word.type === 'thaw' && channel !== null) this.#drop(service, process);
    else this.#keep(service, process, { word });
    channel?.tell(word);
  }

  /** The state that a generation finds is gone when that one is ready; one that it did not take is kept for people, and for nobody else. */
  tell(changes: readonly Change[], set: ServiceSet): void {
    for (const { service, what } of changes) {
      const isDown = what.type === 'stopped' && set.get(service)?.state.name === 'stopped';
      // Who is killed while it serves did not leave anything on purpose.
      const isTorn = what.type === 'died' && what.death.status.type !== 'exited';
      if (what.type === 'ready' || isDown || isTorn) this.#parts.files.remove(service);
      if (what.type === 'startFailed' || what.type === 'failed') this.#setAside(service);
      if (what.type === 'removed') this.#release(service);
    }
  }

  close(): void {
    for (const service of [...this.#exports.keys()]) this.#forget(service);
  }

  #setAside(service: ServiceName): void {
    const kept = this.#parts.files.refuse(service);
    if (kept === null) return;
    this.#parts.complain(service, `the state that it did not take is kept in ${kept}; the next start begins without`);
  }

  // ---- what a service says ----

  #hear(service: ServiceName, channel: HandoverChannel, saying: Saying): void {
    switch (saying.type) {
      case 'hello':
        this.#greet(service, channel, saying.state);
        return;
      case 'notify':
        this.#parts.notified(service, channel.speaker, saying.text);
        return;
      case 'wantsState':
        this.#wantsState(service, channel);
        return;
      case 'exported':
      case 'noState':
      case 'exportFailed':
        if (this.#exports.get(service)?.channel === channel) this.#answer(service, saying);
        return;
      case 'refused':
        this.#post(service, processOf(channel), saying);
        return;
    }
  }

  #greet(service: ServiceName, channel: HandoverChannel, state: 'yes' | 'no'): void {
    channel.state = state;
    const note = this.#notesOf(service).find(({ process }) => isSameProcess(process, processOf(channel)));
    if (note?.from !== null && note !== undefined) channel.tell(note.from);
    if (note?.word !== null && note !== undefined) channel.tell(note.word);
    const asked = this.#exports.get(service);
    if (asked?.channel === null && asked.timer !== null && isSameProcess(asked.order.from, processOf(channel)))
      this.#carryOut(asked);
  }

  /** In a hand-over the core decides; else there may be a file from the generation before. */
  #wantsState(service: ServiceName, channel: HandoverChannel): void {
    const process = processOf(channel);
    const state = this.#parts.services().get(service)?.state;
    const isSuccessor =
      state?.name === 'handover' && state.successor !== null && isSameProcess(state.successor, process);
    if (isSuccessor) this.#post(service, process, { type: 'wantsState' });
    else channel.tell({ type: 'import', from: this.#parts.files.left(service) });
  }

  #closed(service: ServiceName, channel: HandoverChannel): void {
    const left = (this.#channels.get(service) ?? []).filter((one) => one !== channel);
    if (left.length === 0) this.#channels.delete(service);
    else this.#channels.set(service, left);
    const asked = this.#exports.get(service);
    if (asked?.channel !== channel) return;
    // Its death is told by another way, which may take a moment longer, and says more.
    const lost = { type: 'exportFailed', reason: 'its hand-over channel was closed meanwhile' } as const;
    asked.timer = setTimeout(() => this.#answer(service, lost), this.#parts.moment ?? MOMENT);
  }

  // ---- an order to hand over ----

  #carryOut(asked: Export): void {
    const { spec, from, to } = asked.order;
    const service = spec.name;
    if (asked.timer !== null) clearTimeout(asked.timer);
    asked.timer = null;
    const channel = this.#channelOf(service, from);
    if (channel === null || channel.state !== 'yes') {
      if (to !== null) this.#import(service, to, null);
      this.#answer(service, { type: 'noState' });
      return;
    }
    try {
      const path = to === null ? this.#fileFor(spec) : this.#parts.files.makePipe(spec);
      asked.channel = channel;
      // Nothing of an earlier attempt is said to it again: it is about to stand still.
      this.#drop(service, from);
      channel.tell({ type: 'export', to: path });
      if (to !== null) this.#import(service, to, path);
    } catch (error) {
      const reason = `the place for its state cannot be made: ${errorText(error)}`;
      this.#answer(service, { type: 'exportFailed', reason });
    }
  }

  #fileFor(spec: ServiceSpec): string {
    this.#parts.files.remove(spec.name);
    return this.#parts.files.fileOf(spec);
  }

  #import(service: ServiceName, to: ProcessRef, path: string | null): void {
    const from = { type: 'import', from: path } as const;
    const channel = this.#channelOf(service, to);
    if (channel === null) this.#keep(service, to, { from });
    else channel.tell(from);
  }

  #answer(service: ServiceName, word: ServiceWord): void {
    const asked = this.#exports.get(service);
    if (asked === undefined) return;
    this.#forget(service);
    this.#post(service, asked.order.from, word);
  }

  #post(service: ServiceName, process: ProcessRef, word: ServiceWord): void {
    this.#parts.post({ type: 'heard', service, process, word });
  }

  #forget(service: ServiceName): void {
    const asked = this.#exports.get(service);
    if (asked !== undefined && asked.timer !== null) clearTimeout(asked.timer);
    this.#exports.delete(service);
  }

  // ---- who is there, and what waits for whom ----

  /** That of the main process itself, else the newest of one that belongs to it. */
  #channelOf(service: ServiceName, process: ProcessRef): HandoverChannel | null {
    const channels = this.#channels.get(service) ?? [];
    const own = channels.findLast((one) => isSameProcess(one.speaker.process, process));
    return own ?? channels.findLast((one) => isSameProcess(processOf(one), process)) ?? null;
  }

  #notesOf(service: ServiceName): readonly Note[] {
    const known = this.#parts.services().get(service);
    const living = known === undefined ? [] : mainsOf(known);
    return (this.#notes.get(service) ?? []).filter(({ process }) => living.some((one) => isSameProcess(one, process)));
  }

  #keep(service: ServiceName, process: ProcessRef, news: Partial<Note>): void {
    const notes = this.#notes.get(service) ?? [];
    const before = notes.find((note) => isSameProcess(note.process, process)) ?? { from: null, word: null };
    this.#drop(service, process);
    this.#notes.set(service, [...this.#notesOf(service), { ...before, ...news, process }]);
  }

  #drop(service: ServiceName, process: ProcessRef): void {
    const notes = (this.#notes.get(service) ?? []).filter((note) => !isSameProcess(note.process, process));
    if (notes.length === 0) this.#notes.delete(service);
    else this.#notes.set(service, notes);
  }

  #release(service: ServiceName): void {
    this.#forget(service);
    this.#notes.delete(service);
    this.#parts.files.release(service);
  }
}

/** A process of a generation speaks for its main process. */
const processOf = ({ speaker }: HandoverChannel): ProcessRef => speaker.kinOf ?? speaker.process;
