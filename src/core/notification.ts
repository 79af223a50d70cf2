// Vocabulary: what one message of sd_notify(3) says, taken apart and checked as far as that can be done without knowing the
// service. Which of it counts, and when, is decided in notified.ts.

import type { ProcessRef } from './process.js';
import type { NotifyAccess } from './socket.js';
import type { Millis } from './time.js';

/** null: the message says nothing of that. Of several lines with one key the first counts. */
export interface Notification {
  readonly ready: 'yes' | 'no';
  readonly stopping: 'yes' | 'no';
  /** RELOADING=1; `at`: MONOTONIC_USEC in ms, null where that is missing or no number. */
  readonly reloading: { readonly at: number | null } | null;
  /** STATUS; empty where the text before is to be taken back, also because this one is no text. */
  readonly status: string | null;
  /** MAINPID, MAINPIDFD, MAINPIDFDID: a process that may be it, since it belongs to the service or root has named it. */
  readonly main: ProcessRef | null;
  readonly access: NotifyAccess | null;
  /** ERRNO, a number above 0; BUSERROR and VARLINKERROR, names. */
  readonly errno: number | null;
  readonly busError: string | null;
  readonly varlinkError: string | null;
  /** EXTEND_TIMEOUT_USEC. */
  readonly extend: Millis | null;
  /** WATCHDOG=1 or WATCHDOG=trigger. */
  readonly watchdog: 'ping' | 'trigger' | null;
  /** WATCHDOG_USEC: the new period; 0: none any more. */
  readonly watchdogPeriod: Millis | null;
  /** RESTART_RESET=1. */
  readonly restartReset: 'yes' | 'no';
  readonly store: StoreWish | null;
}

/** What is to be done with the descriptors that came with the message, or with those that are kept. A remove wins over a store in one message. */
export type StoreWish =
  | { readonly type: 'store'; readonly name: string; readonly poll: 'yes' | 'no' }
  | { readonly type: 'remove'; readonly name: string };

/** A message of which every field is silent. */
export const silence: Notification = {
  ready: 'no',
  stopping: 'no',
  reloading: null,
  status: null,
  main: null,
  access: null,
  errno: null,
  busError: null,
  varlinkError: null,
  extend: null,
  watchdog: null,
  watchdogPeriod: null,
  restartReset: 'no',
  store: null,
};
