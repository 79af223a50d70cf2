// Vocabulary: what is to be told, before it is known to whom. What it says is in notice-of-service.ts and notice-of-keeper.ts.

import { type Label, type Notice, type NoticeKind, plainNotice } from './notice.js';
import type { Case, Tray } from './notice-desk.js';
import { helpFor } from './notice-text.js';
import type { EndEntry } from './post-mortem-of.js';
import type { WallTime } from './time.js';

export interface Bulletin {
  readonly pace: Tray['pace'];
  readonly notice: Notice;
  readonly tags: readonly string[];
  /** Its post-mortem is written with the letter; null: it is in the notice, or there is none. */
  readonly end: EndEntry | null;
  /** `all`: whom the rules name. Else only those of them. */
  readonly to: 'all' | readonly string[];
  /** Whom it must not go to. */
  readonly except: readonly string[];
}

const labels: Readonly<Record<NoticeKind, Label>> = {
  died: 'DIED',
  restarted: 'RESTARTED',
  'start-failed': 'DOWN',
  failed: 'FAILED',
  flapping: 'FLAPPING',
  recovered: 'UP',
  unhealthy: 'UNHEALTHY',
  'heartbeat-error': 'UNASKED',
  'handover-refused': 'REFUSED',
  fight: 'FIGHT',
  stopped: 'STOPPED',
  'hold-ended': 'HOLD',
  keeper: 'KEEPER',
};

/** What there is to tell of a case: at once, and whom the rules name. */
export function bulletin(
  it: Case,
  kind: NoticeKind,
  time: WallTime,
  words: Pick<Notice, 'headline' | 'story'>,
): Bulletin {
  const [incident = null] = it.incidents;
  return {
    pace: 'urgent',
    notice: plainNotice({
      id: `${it.entry}-${kind}`,
      kind,
      label: labels[kind],
      time,
      incident,
      service: it.service,
      description: it.about.description,
      runbook: it.about.runbook,
      ...words,
      commands: helpFor(it.service, incident),
    }),
    tags: it.about.tags,
    end: it.end,
    to: 'all',
    except: [],
  };
}

/** The same under another word. */
export const labelled = (it: Bulletin, label: Label): Bulletin => ({ ...it, notice: { ...it.notice, label } });
