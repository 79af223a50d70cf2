// How an asker of a keeper that is root gives up its rights: when it has loaded what it asks with, which a user may not be able to
// read (a checkout in somebody's home), and before it hears a question. That it has, verify.ts reads back.

import type { Identity } from './verify.js';

/** Groups, then gid, then uid: each needs the rights that the next one gives up. Of all threads, as glibc does it. @throws Error: it may not */
export function become({ uid, gid, groups }: Identity): void {
  if (groups === 'kept') return;
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
