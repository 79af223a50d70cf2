// What `upkeep fds` answers, versioned: the CLI, the control socket and whoever asks it read this.

import type { StateName } from './state.js';

export interface FdsDocument {
  readonly version: 1;
  readonly service: string;
  readonly state: StateName;
  /** How many descriptors it may store. */
  readonly fdStore: number;
  /** Its sockets, in the order of its definition, and what it stored, in the order in which it came: as it is passed them. */
  readonly descriptors: readonly DescriptorView[];
}

export interface DescriptorView extends DescriptorFacts {
  /** In LISTEN_FDNAMES. */
  readonly name: string;
  /** `socket`: Upkeep opened it. `stored`: the service gave it to be kept. `storedBeside`: so did a new generation that has not taken over yet. */
  readonly held: 'socket' | 'stored' | 'storedBeside';
  /** null: it was not noted. */
  readonly since: string | null;
}

/** What the kernel says of a descriptor. */
export interface DescriptorFacts {
  readonly type: DescriptorType;
  /** null: neither, or no socket. */
  readonly is: 'listening' | 'connected' | null;
  /** Its address, path or name; null: it has none. */
  readonly at: string | null;
  /** The other end of a connected socket. */
  readonly peer: string | null;
  /** MAJOR:MINOR of where it is, and its number there. */
  readonly device: string;
  readonly inode: string;
  /** As open(2) has them, in small letters. */
  readonly flags: readonly string[];
}

export type DescriptorType =
  | 'tcp'
  | 'udp'
  | 'unix'
  | 'socket'
  | 'memfd'
  | 'file'
  | 'directory'
  | 'pipe'
  | 'device'
  | 'other';
