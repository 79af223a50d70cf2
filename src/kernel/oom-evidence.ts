// Whether want of memory ended a process: what was seen of its end, and what its control group says of it. It must not know what
// follows.

import { type ExitEvidence, noFindings, type OomKill } from '../core/process.js';

/** The kernel's word that somebody of the service was killed for want of memory counts for a main process that was killed, unless somebody was seen who did that. */
export function withOom(evidence: ExitEvidence, oomSince: () => OomKill | null): ExitEvidence {
  const { status, findings } = evidence;
  if (evidence.oom || evidence.by !== null || status.type !== 'signaled' || status.signal !== 'SIGKILL')
    return evidence;
  const oomKill = oomSince();
  return oomKill === null ? evidence : { ...evidence, oom: true, findings: { ...(findings ?? noFindings), oomKill } };
}
