// One message of sd_notify(3) taken apart: from the bytes of a datagram, or the same text from the hand-over channel, to what
// it says. All or nothing where the message itself is broken; a broken field is left out and complained of. It must not know
// who sent it, whether that counts, nor any descriptor.

import { type Notification, type StoreWish, silence } from '../core/notification.js';
import { Lines } from './lines.js';
import * as value from './values.js';

/** Which process is to be the main one, in the words of the sender: the kernel is asked who that is. */
export type MainClaim =
  /** `inode`: of its pidfd, in decimal, where MAINPIDFDID names it. */
  | { readonly type: 'pid'; readonly pid: number; readonly inode: string | null }
  /** The one descriptor that came with the message is its pidfd. */
  | { readonly type: 'pidfd'; readonly inode: string | null }
  | { readonly type: 'refused'; readonly reason: string };

export type Parsed =
  /** `says.main` is null: see `main`. `complaints`: what of it was left out, and why. */
  | {
      readonly type: 'message';
      readonly says: Notification;
      readonly main: MainClaim | null;
      readonly complaints: readonly string[];
    }
  /** Somebody waits until its one descriptor is closed: then everything before it has been read. */
  | { readonly type: 'barrier' }
  | { readonly type: 'dropped'; readonly reason: string };

/** systemd's NOTIFY_BUFFER_MAX: what is longer counts as not said. */
export const LONGEST_MESSAGE = 4096;

/** `descriptors`: how many came with it. Never throws. */
export function parseMessage(bytes: Buffer, descriptors: number): Parsed {
  if (bytes.length > LONGEST_MESSAGE) return dropped(`it is longer than ${LONGEST_MESSAGE} bytes`);
  // One zero at the end is that of a string in C.
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  if (bytes.subarray(0, end).includes(0)) return dropped('there is a zero byte in it');
  const lines = new Lines(bytes.toString('latin1', 0, end));
  return lines.has('BARRIER=1') ? barrier(lines, descriptors) : readFields(lines, descriptors);
}

const dropped = (reason: string): Parsed => ({ type: 'dropped', reason });

function barrier(lines: Lines, descriptors: number): Parsed {
  if (lines.count > 1) return dropped('BARRIER=1 has to be the only line of its message');
  if (descriptors !== 1) return dropped(`BARRIER=1 came with ${descriptors} descriptors instead of one`);
  return { type: 'barrier' };
}

function readFields(lines: Lines, descriptors: number): Parsed {
  const complaints: string[] = [];
  /** null where there is no such line, and where its value is none. */
  const field = <T>(key: string, read: (text: string) => T | null): T | null => {
    const text = lines.first(key);
    const result = text === null ? null : read(text);
    if (text !== null && result === null) complaints.push(`${key}= has no value that is valid for it`);
    return result;
  };
  const isStopping = lines.has('STOPPING=1');
  const at = field('MONOTONIC_USEC', value.moment);
  const says: Notification = {
    ...silence,
    // Who stops is neither ready nor reloading, whatever else the message says.
    stopping: isStopping ? 'yes' : 'no',
    ready: !isStopping && lines.has('READY=1') ? 'yes' : 'no',
    reloading: !isStopping && lines.has('RELOADING=1') ? { at } : null,
    status: field('STATUS', value.status),
    access: field('NOTIFYACCESS', value.access),
    errno: field('ERRNO', value.errno),
    busError: field('BUSERROR', value.busError),
    varlinkError: field('VARLINKERROR', value.varlinkError),
    extend: field('EXTEND_TIMEOUT_USEC', value.duration),
    watchdog: field('WATCHDOG', value.watchdog),
    watchdogPeriod: field('WATCHDOG_USEC', value.period),
    restartReset: lines.has('RESTART_RESET=1') ? 'yes' : 'no',
    store: storeWish(lines, complaints),
  };
  return { type: 'message', says, main: mainClaim(lines, descriptors), complaints };
}

function storeWish(lines: Lines, complaints: string[]): StoreWish | null {
  const text = lines.first('FDNAME');
  const name = text === null ? null : value.descriptorName(text);
  const isRemoval = lines.has('FDSTOREREMOVE=1');
  if (!isRemoval && !lines.has('FDSTORE=1')) return null;
  if (text !== null && name === null)
    complaints.push(
      'FDNAME= is longer than 255 characters, or has others than ASCII without `:` and control characters',
    );
  if (!isRemoval) return { type: 'store', name: name ?? 'stored', poll: lines.has('FDPOLL=0') ? 'no' : 'yes' };
  if (text === null) complaints.push('FDSTOREREMOVE=1 came without FDNAME=');
  return name === null ? null : { type: 'remove', name };
}

function mainClaim(lines: Lines, descriptors: number): MainClaim | null {
  const isByDescriptor = lines.has('MAINPIDFD=1');
  const text = lines.first('MAINPID');
  if (!isByDescriptor && text === null) return null;
  const id = lines.first('MAINPIDFDID');
  const inode = id === null ? null : value.wholeNumber(id);
  if (id !== null && inode === null) return { type: 'refused', reason: 'MAINPIDFDID= is no number' };
  const named = { inode: inode === null ? null : String(inode) };
  if (isByDescriptor)
    return descriptors === 1
      ? { type: 'pidfd', ...named }
      : { type: 'refused', reason: `MAINPIDFD=1 came with ${descriptors} descriptors instead of one` };
  const pid = value.pid(text ?? '');
  return pid === null ? { type: 'refused', reason: 'MAINPID= is no process id' } : { type: 'pid', pid, ...named };
}

/** Does it say anything that the keeper knows? Empty messages are legal, and private fields begin with `X_`. */
export function saysNothing({ says, main }: Extract<Parsed, { type: 'message' }>): boolean {
  return main === null && (Object.keys(silence) as (keyof Notification)[]).every((key) => says[key] === silence[key]);
}
