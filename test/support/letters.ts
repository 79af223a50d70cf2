// Letters for tests: one of a worker that exits, with everything that a letter can have; each test says what is different.

import type { Letter, Notice } from '../../src/core/notice.js';
import type { PostMortem } from '../../src/core/post-mortem.js';
import { wallTime } from '../../src/core/time.js';

/** 2026-11-20 10:00:00 UTC. */
export const TEN = wallTime(Date.UTC(2026, 10, 20, 10));

export function postMortem(difference: Partial<PostMortem> = {}): PostMortem {
  return {
    incident: 'w-3fq9',
    service: 'worker',
    generation: 7,
    time: new Date(TEN).toISOString(),
    sentence: 'exited with code 1 after 4 s',
    timeline: [
      { what: 'died', time: new Date(TEN).toISOString(), after: 0, text: 'exited with code 1' },
      { what: 'noticed', time: new Date(TEN + 1).toISOString(), after: 1, text: 'noticed by its pidfd' },
    ],
    evidence: [
      { about: 'status', text: 'exit code 1', grade: 'seen', source: 'wait status' },
      { about: 'oom', text: 'the kernel log cannot be read', grade: 'unknown', source: 'kernel log' },
    ],
    output: ['connecting to db:5432', 'Error: connect ECONNREFUSED 10.0.0.7:5432'],
    neighbours: [{ service: 'db', text: 'killed by SIGKILL', after: -12 }],
    ...difference,
  };
}

export function notice(difference: Partial<Notice> = {}): Notice {
  return {
    id: 'k1-17',
    kind: 'failed',
    label: 'DOWN',
    time: TEN,
    incident: 'w-3fq9',
    service: 'worker',
    description: 'Job queue: no mails go out while it is down',
    runbook: 'https://wiki.example.org/worker',
    headline: 'exit 1 after 4 s, 5th in 10 min, retrying in 30 s',
    story: ['It exited with code 1 for the fifth time in ten minutes.', 'It is tried again every minute.'],
    postMortem: postMortem(),
    commands: [
      { command: 'upkeep why worker', does: 'shows all that is known' },
      { command: 'upkeep stop worker', does: 'leaves it down' },
    ],
    outage: null,
    reminder: 0,
    ...difference,
  };
}

export function letter(...notices: readonly Notice[]): Letter {
  const all = notices.length === 0 ? [notice()] : notices;
  return {
    id: `admin-${all[0]?.id}`,
    channel: 'admin',
    host: 'web3',
    time: TEN,
    thread: all.length === 1 ? (all[0]?.incident ?? null) : null,
    notices: all,
  };
}
