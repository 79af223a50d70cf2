// What the main thread and the disk thread say to each other about logs.

import type { Rotation, ServiceName } from '../core/spec.js';

export type LogJob =
  /** Index and rotate this log from now on. */
  | {
      readonly type: 'tend';
      readonly key: string;
      readonly lasts: 'standing';
      readonly service: ServiceName;
      readonly path: string;
      readonly rotate: Rotation;
      /** `syslog`: every line is handed on, and what was may be thrown away. */
      readonly forward: 'no' | 'syslog';
    }
  | { readonly type: 'leave'; readonly key: string; readonly lasts: 'once'; readonly path: string }
  /** Read what stands before `end` of this file. */
  | {
      readonly type: 'lastLines';
      /** Unique: it comes back with the answer. */
      readonly key: string;
      readonly lasts: 'once';
      readonly service: ServiceName;
      readonly path: string;
      /** null: whichever file lies there. */
      readonly inode: number | null;
      /** In bytes from its beginning: nothing before `begin` is wanted, nor anything from `end` on. null: up to where it ends. */
      readonly begin: number;
      readonly end: number | null;
      readonly lines: number;
    };

export type LogNews =
  /** `cut` bytes were moved away from the head of the log, exactly or with a moment in which a line may have been lost. */
  | { readonly type: 'rotated'; readonly service: ServiceName; readonly cut: number; readonly exact: 'yes' | 'no' }
  /** Bytes of its output that had to be thrown away. */
  | { readonly type: 'dropped'; readonly service: ServiceName; readonly bytes: number }
  /** The file that the service writes is no longer the one at this path: somebody moved or removed it. */
  | { readonly type: 'moved'; readonly service: ServiceName }
  /** The answer to a job of this key. null: they could not be read. */
  | {
      readonly type: 'lastLines';
      readonly service: ServiceName;
      readonly key: string;
      readonly lines: readonly string[] | null;
    }
  | { readonly type: 'problem'; readonly problem: string; readonly error: string };

/** Calls that Node does not offer, see kernel/disk-calls.ts and kernel/syslog.ts. */
export interface DiskCalls {
  /** Removes the first `length` bytes of the file in place. Null when done, else the name of the error. */
  collapse(fd: number, length: number): string | null;
  /** A line to the local syslog in the name of this service. Never waits. */
  sendToSyslog(service: string, line: string): void;
}

/** Lines of the keeper's own, for its stderr: a pipe that nobody reads or a disk that hangs holds this thread, not the keeper. */
export interface PrintJob {
  readonly type: 'print';
  readonly key: string;
  readonly lasts: 'once';
  readonly text: string;
}

let printed = 0;

export function printJob(text: string): PrintJob {
  printed += 1;
  return { type: 'print', key: `print ${printed}`, lasts: 'once', text };
}
