// Sees to it that questions are asked: those about processes by measuring them, all others by the askers, each with the rights and
// the secrets that it needs. Owns the one timer. Never blocks, never throws; knows no kind and no protocol. Which askers there are
// is asker-pool.ts, which rights somebody has is the kernel's to know.

import { errorText } from '../core/error-text.js';
import type { HeartbeatSpec } from '../core/heartbeat.js';
import { oneLine } from '../core/one-line.js';
import type { ProcessRef } from '../core/process.js';
import type { ProcessQuestion } from '../core/question.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import { tenths } from '../core/time.js';
import type { Usage } from '../core/usage.js';
import type { Asked } from '../heartbeats/ask-once.js';
import { judgeUsage } from '../heartbeats/process.js';
import { type AskerQuestion, LONGEST_DETAIL, secretsOf } from '../heartbeats/wire.js';
import type { Asking, AskOrder, Post } from '../keeper/ports.js';
import type { AskerRights, AskerRightsOrNot, AskerWish } from '../kernel/asker-rights.js';
import type { UsageAsked } from '../kernel/usage.js';
import type { After } from './after.js';
import type { Open } from './asker.js';
import { AskerPool, type AskerPoolParts, LINGER_MS, waitsUntil } from './asker-pool.js';
import type { AskerSecrets } from './asker-secrets.js';

export interface AskersParts extends Omit<AskerPoolParts, 'now'> {
  readonly post: Post;
  readonly rightsOf: (wish: AskerWish) => AskerRightsOrNot;
  readonly secrets: AskerSecrets;
  readonly measure: (asked: UsageAsked) => Promise<Usage>;
  readonly clock: {
    /** Milliseconds on a monotonic clock. */
    readonly now: () => number;
    readonly after: After;
  };
}

/** While something is under way it is looked so often whether an answer is overdue. */
const LOOK_MS = 500;
/** Looking somebody up may ask a directory server, and no account changes every second. */
const RIGHTS_MS = 60_000;

export class Askers implements Asking {
  readonly #parts: AskersParts;
  readonly #pool: AskerPool;
  readonly #rights = new Map<string, { readonly rights: AskerRightsOrNot; readonly until: number }>();
  /** Those whose secrets are being read; with when that has lasted too long. */
  readonly #reading = new Map<Open, number>();
  #number = 0;
  #timer: { readonly cancel: () => void; readonly at: number } | null = null;

  constructor(parts: AskersParts) {
    this.#parts = parts;
    this.#pool = new AskerPool({ ...parts, now: parts.clock.now });
  }

  /** How many askers there may be (`keeper.limits.askers`). */
  set limit(count: number) {
    this.#pool.limit = count;
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
    this.#pool.cancel(isMeant);
  }

  close(): void {
    this.#timer?.cancel();
    for (const open of this.#reading.keys()) open.giveUp('the keeper is ending');
    this.#reading.clear();
    this.#pool.close();
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
        settle({ answer: { result, detail, ms: tenths(clock.now() - since) }, steps: [] });
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
      this.#give(open, rights);
      return;
    }
    this.#reading.set(open, waitsUntil(open, this.#parts.clock.now()));
    this.#setTimer();
    void this.#parts.secrets.readAll(secrets).then((read) => {
      // It may have been given up, or stopped, meanwhile.
      if (!this.#reading.delete(open)) return;
      if (read.type === 'unreadable') open.giveUp(read.reason);
      else this.#give({ ...open, order: { ...open.order, secrets: read.words } }, rights);
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

  #give(open: Open, rights: AskerRights): void {
    this.#pool.ask(open, rights);
    this.#setTimer();
  }

  #look(): void {
    const now = this.#parts.clock.now();
    for (const [open, until] of [...this.#reading]) {
      if (now < until || !this.#reading.delete(open)) continue;
      open.giveUp('the disk of its secret does not answer');
    }
    this.#pool.look();
    this.#setTimer();
  }

  /** The one timer, which is set anew only where something is due earlier. */
  #setTimer(): void {
    const { clock } = this.#parts;
    const { state } = this.#pool;
    const isBusy = state === 'busy' || this.#reading.size > 0;
    if (state === 'closed' || (state === 'empty' && !isBusy)) return;
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

const unaskedFor = (reason: string, ms: number): Asked => ({
  answer: { result: 'unasked', ms: tenths(ms), detail: oneLine(reason, LONGEST_DETAIL) },
  steps: [],
});
