// How ready the kernel is to end the keeper for want of memory, and what its services get: the score from before the keeper
// changed its own. Owns /proc/self/oom_score_adj. It must not know what a service asks for, nor why.

import { openSync, readFileSync, writeSync } from 'node:fs';
import { errorCode } from '../core/error-text.js';
import { SystemCallFailure } from './syscalls.js';

const OWN = '/proc/self/oom_score_adj';

/**
 * The last to go, but not immune. With -1000 a keeper that is itself what fills its memory group could not be chosen: then
 * the kernel finds nobody, and everything in that group hangs in page faults instead. At -900 it is ended when nothing else
 * helps, and whoever owns it starts it again.
 */
const LAST_TO_GO = -900;

/** Survives execve in place, where the score from before is nowhere else to be found; the pid says that it is about us. */
const VARIABLE = 'UPKEEP_OOM_SCORE';

class OomScore {
  #fd = -1;
  #own = 0;
  #before = 0;
  #state: 'unknown' | 'known' = 'unknown';

  /** What services get that ask for nothing. */
  get before(): number {
    this.#look();
    return this.#before;
  }

  /** What is in force for the keeper. */
  get own(): number {
    this.#look();
    return this.#own;
  }

  /** Makes the keeper the last to go; `no`: it may not lower its score (that needs CAP_SYS_RESOURCE). */
  lower(environment: NodeJS.ProcessEnv): 'yes' | 'no' {
    this.#look();
    this.#before = scoreBefore(environment, this.#own, scoreOf(process.ppid));
    environment[VARIABLE] = `${process.pid}:${this.#before}`;
    if (this.#own <= LAST_TO_GO) return 'yes';
    try {
      this.wear(LAST_TO_GO);
      return 'yes';
    } catch (error) {
      if (error instanceof SystemCallFailure) return 'no';
      throw error;
    }
  }

  /** Puts a score into force, for the moment of a spawn. Two microseconds. @throws SystemCallFailure: EACCES when it would be lowered without CAP_SYS_RESOURCE */
  wear(score: number): void {
    this.#look();
    if (score === this.#own) return;
    try {
      if (this.#fd < 0) this.#fd = openSync(OWN, 'r+');
      writeSync(this.#fd, `${score}\n`, 0);
      this.#own = score;
    } catch (error) {
      const errno = errorCode(error, 'EIO');
      throw new SystemCallFailure('oom_score_adj', errno, String(score));
    }
  }

  #look(): void {
    if (this.#state === 'known') return;
    this.#state = 'known';
    this.#own = scoreOf('self') ?? 0;
    this.#before = this.#own;
  }
}

export const oomScore = new OomScore();

/**
 * The score from before: of this very process when it was replaced in place; that of our parent where systemd's unit has
 * lowered it for the keeper alone (OOMScoreAdjust= of `upkeep install`); else our own.
 */
export function scoreBefore(environment: NodeJS.ProcessEnv, own: number, parents: number | null): number {
  const [pid, score] = (environment[VARIABLE] ?? '').split(':');
  if (pid === String(process.pid) && score !== undefined && /^-?\d+$/.test(score)) return Number(score);
  if (environment.UPKEEP_OWNER === 'systemd' && parents !== null) return Math.max(own, parents);
  return own;
}

function scoreOf(pid: number | 'self'): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim());
  } catch {
    return null;
  }
}
