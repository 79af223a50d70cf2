// An asker, a program of its own that the keeper starts for each user who asks: `node asker.js UID GID none|kept`. Whatever hangs
// or breaks on the way to a service hangs and breaks here, with the rights of that user. It is spoken to as heartbeats/wire.ts
// says. Composes the harness and the kinds.

import { writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { errorText } from './core/error-text.js';
import type { Secret } from './core/notice-spec.js';
import { askOnce, type UnderWay } from './heartbeats/ask-once.js';
import { become } from './heartbeats/become.js';
import type { ExecSetting } from './heartbeats/exec.js';
import type { Asking, Finding } from './heartbeats/kind.js';
import { askerOf } from './heartbeats/kinds.js';
import { turns } from './heartbeats/turns.js';
import { type Identity, whyNot } from './heartbeats/verify.js';
import { type FromAsker, heardByAsker, keyOf, lineOf, type Order, type ToAsker } from './heartbeats/wire.js';
import { Lines } from './notices/post.js';
import { hiding } from './notices/secret.js';

/** More than any question with its secrets. */
const LONGEST_LINE = 4 * 1024 * 1024;
/** Keeping comes first. */
const NICE = 5;
/** Each is a process of its own; the others wait for their turn within their own time. */
const PROGRAMS_AT_ONCE = 8;
/** More than a thousand services that all hang, asked every ten seconds; beyond that memory counts. Each is a socket or some. */
const CONNECTIONS_AT_ONCE = 1000;
/** Seed 003: what asks has a problem of its own. */
const COULD_NOT_ASK = 125;

/** Whatever is told in one turn of the loop is one write. */
let told = '';

function tell(message: FromAsker): void {
  if (told === '') setImmediate(flush);
  told += lineOf(message);
}

/** Synchronous: a pipe holds 64 KiB, and a keeper that does not read that has other worries. */
function flush(): void {
  let rest = Buffer.from(told);
  told = '';
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
  } catch {
    // EPIPE: there is no keeper any more, and the end of its pipe comes next.
  }
}

/** For ourselves, and not for the programs that we start. */
const OURS: ReadonlySet<string> = new Set(['UV_THREADPOOL_SIZE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']);

/** What such a program finds: all that its user has. */
const env: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || OURS.has(name) ? [] : [[name, value]],
  ),
);

const underWay = new Map<number, UnderWay>();
const takeProgram = turns(PROGRAMS_AT_ONCE);
const takeConnection = turns(CONNECTIONS_AT_ONCE);

async function inTurn(order: Order, asking: Asking): Promise<Finding> {
  const { id, question, service, heartbeat, trace } = order;
  const take = question.kind === 'exec' ? takeProgram : takeConnection;
  const giveBack = await take(asking.signal, () => asking.begin('queue'));
  try {
    const setting: ExecSetting = {
      env: { ...env, UPKEEP_SERVICE: service, UPKEEP_HEARTBEAT: heartbeat },
      started: (pid) => {
        tell({ type: 'runs', id, pid });
        // At once: if we die, the keeper has to know what we leave.
        flush();
      },
    };
    const ask = askerOf(question, setting);
    // Asked by hand it is no question of the heartbeat: `changes` of a file goes by those.
    return await ask(trace === 'yes' ? asking : { ...asking, by: `${service}/${heartbeat}` });
  } finally {
    giveBack();
  }
}

function ask(order: Order): void {
  const { id, timeout, secrets, trace } = order;
  const question = askOnce((asking) => inTurn(order, asking), {
    timeout,
    now: () => performance.now(),
    secret: (secret) => wordOf(secret, secrets),
    hide: hiding(Object.values(secrets)),
  });
  underWay.set(id, question);
  void question.outcome.then((asked) => {
    underWay.delete(id);
    if (asked !== null) tell({ type: 'answer', id, answer: asked.answer, steps: trace === 'yes' ? asked.steps : [] });
  });
}

function wordOf(secret: Secret, secrets: Readonly<Record<string, string>>): string {
  const word = secrets[keyOf(secret)];
  if (word === undefined) throw new Error(`the keeper has not read ${keyOf(secret)}`);
  return word;
}

function hear(message: ToAsker): void {
  switch (message.type) {
    case 'ask':
      ask(message);
      return;
    case 'cancel':
      underWay.get(message.id)?.cancel();
      return;
  }
}

/** Not process.exit: that waits for threads, and one may hang in a resolver. */
function end(): void {
  for (const question of underWay.values()) question.cancel();
  flush();
  process.kill(process.pid, 'SIGKILL');
}

const identity = ([uid, gid, groups]: readonly string[]): Identity => ({
  uid: Number(uid),
  gid: Number(gid),
  groups: groups === 'kept' ? 'kept' : 'none',
});

/** In words; null: it is that user, and can be nobody else any more. */
function whyNotBecome(wanted: Identity): string | null {
  try {
    become(wanted);
  } catch (error) {
    return `it cannot become user ${wanted.uid}: ${errorText(error)}`;
  }
  return whyNot(wanted);
}

function begin(): void {
  // A Ctrl-C on the keeper's terminal is not for us.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  try {
    setPriority(NICE);
  } catch {
    // It is nicer already.
  }
  const lines = new Lines((line) => {
    const message = heardByAsker(line);
    if (message !== null) hear(message);
  }, LONGEST_LINE);
  process.stdin.setEncoding('utf8').on('data', (text: string) => lines.add(text));
  process.stdin.once('end', end).once('error', end);
  tell({ type: 'ready' });
}

const words = process.argv.slice(2);
if (words.length !== 3) throw new Error('asker.js is a part of upkeep and no program of its own');
const problem = whyNotBecome(identity(words));
if (problem === null) begin();
else {
  tell({ type: 'refused', reason: problem });
  flush();
  process.exit(COULD_NOT_ASK);
}
