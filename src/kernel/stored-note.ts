// What the next keeper has to know of a stored descriptor beside its name: as the note of what is held. It must not know what
// follows from it.

import { asPid, type ProcessRef } from '../core/process.js';

export interface StoredNote {
  readonly poll: 'yes' | 'no';
  /** Wall time, in ms. */
  readonly since: number;
  /** Who stored it and has not taken over yet; null: it counts. */
  readonly by: ProcessRef | null;
  /** How many were allowed when it came. */
  readonly most: number;
}

export const writeNote = ({ poll, since, by, most }: StoredNote): string => JSON.stringify({ poll, since, by, most });

/** Of what another version wrote, what is understood. */
export function readNote(note: string): StoredNote {
  const { poll, since, by, most } = fieldsOf(note);
  return {
    poll: poll === 'no' ? 'no' : 'yes',
    since: typeof since === 'number' ? since : 0,
    by: processIn(by),
    most: typeof most === 'number' ? most : Number.MAX_SAFE_INTEGER,
  };
}

function processIn(value: unknown): ProcessRef | null {
  if (typeof value !== 'object' || value === null) return null;
  const { pid, startTicks, inode } = value as Readonly<Record<string, unknown>>;
  if (typeof pid !== 'number' || typeof startTicks !== 'number') return null;
  return { pid: asPid(pid), startTicks, inode: typeof inode === 'string' ? inode : null };
}

function fieldsOf(note: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(note);
    return typeof found === 'object' && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
}
