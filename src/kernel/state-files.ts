// Where one generation leaves its state for the next: a directory for each service that only its user can enter, a FIFO in it
// while two generations live beside one another, and a file for a generation that comes when the other has gone. Nothing that
// stands there is ever read or written here, and nothing that a service puts there leads us elsewhere: what is made or given
// away is made outside, and renamed to its place. It must not know what the state is, nor who hands over.

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../core/error-text.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Owner } from './make-directory.js';
import { ownerOf } from './owner.js';
import { lastErrno, libc, SystemCallFailure } from './syscalls.js';

const cmkfifo = libc.func('int mkfifo(str path, uint mode)');

export class StateFiles {
  readonly #directory: string;

  /** `directory`: below the runtime directory of the keeper, so on a tmpfs; it is made with the first of them. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The file of a service (UPKEEP_STATE_FILE), which it makes itself. @throws what the system says, Refusal */
  fileOf(spec: ServiceSpec): string {
    this.#makeDirectory(spec.name, ownerOf(spec.settings, process.geteuid?.() ?? 0));
    return this.#path(spec.name, FILE);
  }

  /** Its file, if there is something in it; null: nobody has left any state. */
  left(service: ServiceName): string | null {
    const path = this.#path(service, FILE);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size > 0 ? path : null;
  }

  /** A new FIFO for a hand-over. Who waits at one of before is let go. @throws what the system says, Refusal */
  makePipe(spec: ServiceSpec): string {
    const owner = ownerOf(spec.settings, process.geteuid?.() ?? 0);
    this.#makeDirectory(spec.name, owner);
    const path = this.#path(spec.name, PIPE);
    releasePipe(path);
    const nursery = join(this.#directory, `.${encodeURIComponent(spec.name)}`);
    removeFile(nursery);
    if (Number(cmkfifo(nursery, 0o600)) < 0) throw new SystemCallFailure('mkfifo', lastErrno(), nursery);
    chmodSync(nursery, 0o600);
    lchownSync(nursery, owner.uid, owner.gid);
    renameSync(nursery, path);
    return path;
  }

  /** No hand-over any more: the FIFO goes, and nobody waits at it for ever. */
  endPipe(service: ServiceName): void {
    releasePipe(this.#path(service, PIPE));
  }

  /** Whatever was left is nobody's. */
  remove(service: ServiceName): void {
    removeFile(this.#path(service, FILE));
  }

  /** Nobody took it: it is kept beside, in place of the last such one, for whoever wants to see why. Its path; null: there was none. */
  refuse(service: ServiceName): string | null {
    const path = this.left(service);
    const kept = this.#path(service, REFUSED);
    if (path === null) this.remove(service);
    else renameSync(path, kept);
    return path === null ? null : kept;
  }

  /** There is no such service any more. */
  release(service: ServiceName): void {
    this.#empty(service);
    try {
      rmdirSync(this.#home(service));
    } catch {
      // There is none, or it has put something of its own there.
    }
  }

  #empty(service: ServiceName): void {
    this.endPipe(service);
    this.remove(service);
    removeFile(this.#path(service, REFUSED));
  }

  #home(service: ServiceName): string {
    return join(this.#directory, `${encodeURIComponent(service)}.d`);
  }

  #path(service: ServiceName, name: string): string {
    return join(this.#home(service), name);
  }

  #makeDirectory(service: ServiceName, { uid, gid }: Owner): void {
    if (mkdirSync(this.#directory, { recursive: true, mode: 0o711 }) !== undefined) chmodSync(this.#directory, 0o711);
    const home = this.#home(service);
    try {
      mkdirSync(home, { mode: 0o700 });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const fd = openSync(home, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const stat = fstatSync(fd);
      if (stat.uid !== uid || stat.gid !== gid) {
        // Another user's from now on: what the one before has left is not for that one, and he can put nothing there any more.
        fchownSync(fd, uid, gid);
        this.#empty(service);
      }
      if ((stat.mode & 0o7777) !== 0o700) fchmodSync(fd, 0o700);
    } finally {
      closeSync(fd);
    }
  }
}

const FILE = 'state';
const PIPE = 'pipe';
const REFUSED = 'state.refused';

/**
 * Who waits in open(2) for the other end goes on when both are there for a moment, and reads the end of the file or is told that
 * nobody reads; who comes later finds nothing. To open a FIFO for both waits for nobody (fifo(7)).
 */
function releasePipe(path: string): void {
  let fd: number | null = null;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY);
  } catch {
    // There is none, or a service has put something else there: that goes too.
  }
  removeFile(path);
  if (fd !== null) closeSync(fd);
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is not there, or is a directory: a service that makes one in the place of its own FIFO has no hand-over.
  }
}
