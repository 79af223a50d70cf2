// Sees to it that questions are asked: by one asker for each account that asks, started when it is needed and sent away when it has
// had nothing to do for a while. Owns the one timer. Never blocks, never throws; knows no kind and no protocol. What becomes of a
// single asker is asker.ts, which rights it has is the kernel's to know.

import { errorText } from '../core/error-text.js';
import type { HeartbeatSpec } from '../core/heartbeat.js';
import { oneLine } from '../core/one-line.js';
import type { ProcessRef } from '../core/process.js';
import type { ProcessQuestion } from '../core/question.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import { millis } from '../core/time.js';
import type { Usage } from '../core/usage.js';
import type { Asked } from '../heartbeats/ask-once.js';
import { judgeUsage } from '../heartbeats/process.js';
import { type AskerQuestion, LONGEST_DETAIL, secretsOf } from '../heartbeats/wire.js';
import type { Asking, AskOrder, Post } from '../keeper/ports.js';
import type { AskerRights, AskerRightsOrNot, AskerWish } from '../kernel/asker-rights.js';
import type { UsageAsked } from '../kernel/usage.js';
import { Asker, type Open } from './asker.js';
import { AskerPauses } from './asker-pauses.js';
import type { StartAsker } from './asker-process.js';
import type { AskerSecrets } from './asker-secrets.js';

export interface AskersParts {
  readonly post: Post;
  readonly start: StartAsker;
  readonly rightsOf: (wish: AskerWish) => AskerRightsOrNot;
  readonly secrets: AskerSecrets;
  readonly measure: (asked: UsageAsked) => Promise<Usage>;
  readonly endProgram: (leader: number, uid: number) => void;
  readonly clock: {
    /** Milliseconds on a monotonic clock. */
    readonly now: () => number;
    /** Calls back once; the answer takes that back. */
    readonly after: (ms: number, callback: () => void) => () => void;
  };
}

/** While something is under way it is looked so often whether an answer is overdue. */
const LOOK_MS = 500;
/** Starting one costs 50 ms of processor, keeping one 45 MB. */
const LINGER_MS = 5 * 60_000;
/** Who waits for a free asker, or a secret, waits so long: together with its own time less than the core has patience for. */
const LONGEST_WAIT_MS = 5000;
/** Looking somebody up may ask a directory server, and no account changes every second. */
const RIGHTS_MS = 60_000;

interface Waiting {
  readonly open: Open;
  readonly rights: AskerRights;
}

export class Askers implements Asking {
  readonly #parts: AskersParts;
  readonly #askers = new Map<string, Asker>();
  readonly #pauses: AskerPauses;
  readonly #rights = new Map<string, { readonly rights: AskerRightsOrNot; readonly until: number }>();
  /** Those whose secrets are being read, and those for whom no asker is free; with when that has lasted too long. */
  readonly #reading = new Map<Open, number>();
  readonly #waiting = new Map<Waiting, number>();
  #limit = 1;
  #number = 0;
  #timer: { readonly cancel: () => void; readonly at: number } | null = null;
  #life: 'open' | 'closed' = 'open';

  constructor(parts: AskersParts) {
    this.#parts = parts;
    this.#pauses = new AskerPauses(parts.clock.now);
  }

  /** How many askers there may be (`keeper.limits.askers`). */
  set limit(count: number) {
    this.#limit = count;
    while (this.#askers.size > count && this.#dismissIdle() === 'done');
    this.#serveWaiting();
  }

  ask({ spec, heartbeat, process, question }: AskOrder): void {
    const service = spec.name;
    this.#put(spec, heartbeat, process, 'no', ({ answer }) =>
      this.#parts.post({ type: 'answered', service, process, heartbeat: heartbeat.name, question, answer }),
    );
  }

  /** The same for somebody who waits for it, with its steps. */
  test(spec: ServiceSpec, heartbeat: HeartbeatSpec, process: ProcessRef): Promise<Asked> {
    return new Promise((resolve) => this.#put(spec, heartbeat, process, 'yes', resolve));
  }

  stop(service: ServiceName): void {
    const isMeant = ({ order }: Open): boolean => order.service === service && order.trace === 'no';
    for (const open of [...this.#reading.keys()]) if (isMeant(open)) this.#reading.delete(open);
    for (const waiting of [...this.#waiting.keys()]) if (isMeant(waiting.open)) this.#waiting.delete(waiting);
    for (const asker of this.#askers.values()) asker.cancel(isMeant);
  }

  close(): void {
    this.#life = 'closed';
    this.#timer?.cancel();
    for (const open of [...this.#reading.keys(), ...[...this.#waiting.keys()].map((one) => one.open)])
      open.giveUp('the keeper is ending');
    this.#reading.clear();
    this.#waiting.clear();
    for (const asker of [...this.#askers.values()]) asker.kill('the keeper is ending');
  }

  #put(
    spec: ServiceSpec,
    heartbeat: HeartbeatSpec,
    process: ProcessRef,
    trace: 'yes' | 'no',
    settle: (asked: Asked) => void,
  ): void {
    const { question } = heartbeat;
    if (question.kind === 'process') this.#measure(question, { spec, process, heartbeat: heartbeat.name }, settle);
    else this.#prepare(this.#openOf(spec, heartbeat, question, trace, settle), spec, heartbeat);
  }

  #openOf(
    spec: ServiceSpec,
    { name, timeout }: HeartbeatSpec,
    question: AskerQuestion,
    trace: 'yes' | 'no',
    settle: (asked: Asked) => void,
  ): Open {
    this.#number += 1;
    const since = this.#parts.clock.now();
    return {
      order: {
        type: 'ask',
        id: this.#number,
        service: spec.name,
        heartbeat: name,
        question,
        timeout,
        secrets: {},
        trace,
      },
      settle,
      giveUp: (reason) => settle(unaskedFor(reason, this.#parts.clock.now() - since)),
    };
  }

  #measure(question: ProcessQuestion, asked: Omit<UsageAsked, 'question'>, settle: (asked: Asked) => void): void {
    const { measure, clock } = this.#parts;
    const since = clock.now();
    measure({ ...asked, question }).then(
      (usage) => {
        const { result, detail } = judgeUsage(question, usage);
        settle({ answer: { result, detail, ms: tenthsSince(since, clock.now()) }, steps: [] });
      },
      (error: unknown) =>
        settle(unaskedFor(`its processes cannot be measured: ${errorText(error)}`, clock.now() - since)),
    );
  }

  #prepare(open: Open, spec: ServiceSpec, heartbeat: HeartbeatSpec): void {
    const rights = this.#rightsFor(spec, heartbeat);
    if (rights.type === 'refused') {
      open.giveUp(rights.reason);
      return;
    }
    const secrets = secretsOf(open.order.question);
    if (secrets.length === 0) {
      this.#assign(open, rights);
      return;
    }
    this.#reading.set(open, this.#patienceOf(open));
    this.#setTimer();
    void this.#parts.secrets.readAll(secrets).then((read) => {
      // It may have been given up, or stopped, meanwhile.
      if (!this.#reading.delete(open)) return;
      if (read.type === 'unreadable') open.giveUp(read.reason);
      else this.#assign({ ...open, order: { ...open.order, secrets: read.words } }, rights);
    });
  }

  #rightsFor({ settings }: ServiceSpec, { user, group }: HeartbeatSpec): AskerRightsOrNot {
    const now = this.#parts.clock.now();
    const wish: AskerWish = { user, group, service: { user: settings.user, group: settings.group } };
    const key = JSON.stringify(wish);
    const known = this.#rights.get(key);
    if (known !== undefined && now < known.until) return known.rights;
    const rights = this.#parts.rightsOf(wish);
    this.#rights.set(key, { rights, until: now + RIGHTS_MS });
    return rights;
  }

  /** To its asker; where there is none to a new one, or to the end of the queue. */
  #assign(open: Open, rights: AskerRights, until = this.#patienceOf(open)): void {
    if (this.#life === 'closed') {
      open.giveUp('the keeper is ending');
      return;
    }
    const key = keyOf(rights);
    const problem = this.#pauses.problemOf(key);
    const asker = this.#askers.get(key);
    if (asker !== undefined) asker.ask(open);
    else if (problem !== null) open.giveUp(problem);
    else if (this.#askers.size < this.#limit || this.#dismissIdle() === 'done') this.#start(key, rights).ask(open);
    else this.#waiting.set({ open, rights }, until);
    this.#setTimer();
  }

  #start(key: string, rights: AskerRights): Asker {
    const { start, clock, endProgram } = this.#parts;
    const asker: Asker = new Asker({
      rights,
      start,
      now: clock.now,
      onIdle: () => this.#serveWaiting(),
      onGone: (how, was) => this.#lose(key, asker, how, was),
      endProgram: (leader) => endProgram(leader, rights.uid),
    });
    this.#askers.set(key, asker);
    return asker;
  }

  #lose(key: string, asker: Asker, how: string, was: 'useful' | 'useless'): void {
    if (this.#askers.get(key) === asker) this.#askers.delete(key);
    this.#pauses.note(key, how, was);
    this.#serveWaiting();
  }

  /** The one that has had nothing to do for longest makes room for another. */
  #dismissIdle(): 'done' | 'none is idle' {
    const idle = [...this.#askers].filter(([, { isIdle }]) => isIdle);
    const [longest] = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (longest === undefined) return 'none is idle';
    this.#dismiss(...longest);
    return 'done';
  }

  #dismiss(key: string, asker: Asker): void {
    this.#askers.delete(key);
    asker.dismiss();
  }

  #serveWaiting(): void {
    if (this.#waiting.size === 0 || this.#life === 'closed') return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [{ open, rights }, until] of waiting) this.#assign(open, rights, until);
  }

  #patienceOf({ order }: Open): number {
    return this.#parts.clock.now() + Math.min(order.timeout, LONGEST_WAIT_MS);
  }

  #look(): void {
    const now = this.#parts.clock.now();
    for (const [open, until] of [...this.#reading]) {
      if (now < until || !this.#reading.delete(open)) continue;
      open.giveUp('the disk of its secret does not answer');
    }
    for (const [waiting, until] of [...this.#waiting]) {
      if (now < until || !this.#waiting.delete(waiting)) continue;
      waiting.open.giveUp(`no asker is free (${this.#limit} at most); raise keeper.limits.askers`);
    }
    for (const [key, asker] of [...this.#askers]) {
      if (!asker.isIdle) asker.look();
      else if (now - asker.usedAt >= LINGER_MS) this.#dismiss(key, asker);
    }
    this.#setTimer();
  }

  /** The one timer, which is set anew only where something is due earlier. */
  #setTimer(): void {
    const { clock } = this.#parts;
    if (this.#life === 'closed') return;
    const isBusy =
      this.#reading.size + this.#waiting.size > 0 || [...this.#askers.values()].some(({ isIdle }) => !isIdle);
    if (!isBusy && this.#askers.size === 0) return;
    const at = clock.now() + (isBusy ? LOOK_MS : LINGER_MS);
    if (this.#timer !== null && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const cancel = clock.after(at - clock.now(), () => {
      this.#timer = null;
      this.#look();
    });
    this.#timer = { cancel, at };
  }
}

const keyOf = ({ uid, gid }: AskerRights): string => `${uid}:${gid}`;

const tenthsSince = (since: number, now: number): ReturnType<typeof millis> =>
  millis(Math.round((now - since) * 10) / 10);

const unaskedFor = (reason: string, ms: number): Asked => ({
  answer: { result: 'unasked', ms: tenthsSince(0, ms), detail: oneLine(reason, LONGEST_DETAIL) },
  steps: [],
});
