// A real courier on an outbox of its own, spoken to as the keeper does. Needs dist/ to be built.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Letter } from '../../src/core/notice.js';
import type { Channel } from '../../src/core/notice-spec.js';
import { replaceSettled, settleDirectory } from '../../src/journal/durable-file.js';
import type { Delivery } from '../../src/notices/channel.js';
import { Outbox } from '../../src/notices/outbox.js';
import { type FromCourier, heardFrom, Lines, lineOf, type ToCourier } from '../../src/notices/post.js';
import { type Kept, keep } from './kept.js';

export const courierProgram = new URL('../../dist/courier.js', import.meta.url);

export interface Stage {
  readonly directory: string;
  readonly outbox: string;
  readonly put: (...letters: readonly Letter[]) => void;
  /** The ids of the letters that still lie there. */
  readonly waiting: () => readonly string[];
  readonly close: () => void;
}

export function openStage(): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-courier-'));
  const path = join(directory, 'outbox');
  const outbox = new Outbox(path, { replace: replaceSettled, settle: settleDirectory });
  outbox.load();
  return {
    directory,
    outbox: path,
    put: (...letters) => {
      const put = outbox.put(letters, {});
      if (put.type === 'refused') throw new Error(put.reason);
    },
    waiting: () =>
      readdirSync(path)
        .filter((name) => name.endsWith('.json') && name !== 'desk.json')
        .map((name) => name.slice(0, -'.json'.length)),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export interface Courier {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly heard: Kept<FromCourier>;
  readonly say: (message: ToCourier) => void;
  /** What came of this letter. */
  readonly resultOf: (id: string) => Promise<Delivery>;
  /** Nobody listens and speaks any more: what a courier sees of a keeper that was killed. */
  readonly orphan: () => void;
  readonly ended: Promise<{ readonly code: number | null; readonly by: string | null }>;
}

export function startCourier(outbox: string, channels: Readonly<Record<string, Channel>>): Courier {
  const child = spawn(process.execPath, [courierProgram.pathname, outbox], { stdio: ['pipe', 'pipe', 'inherit'] });
  const heard = keep<FromCourier>();
  const lines = new Lines((line) => {
    const message = heardFrom(line);
    if (message === null) throw new Error(`the courier said ${line}`);
    heard.add(message);
  }, 1_000_000);
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.add(text));
  child.stdin.on('error', () => undefined);
  const say = (message: ToCourier): void => void child.stdin.write(lineOf(message));
  say({ type: 'channels', channels });
  return {
    process: child,
    pid: child.pid ?? -1,
    heard,
    say,
    resultOf: async (id) => {
      for (let count = 1; ; count += 1) {
        const message = (await heard.until(count))[count - 1];
        if (message?.type === 'result' && message.id === id) return message.delivery;
      }
    },
    orphan: () => {
      child.stdin.destroy();
      child.stdout.destroy();
    },
    ended: new Promise((resolve) => child.once('exit', (code, by) => resolve({ code, by }))),
  };
}
