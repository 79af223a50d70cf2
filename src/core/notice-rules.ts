// Who is told of what, as the rules of the configuration say it.

import { globRegex, isGlob } from './glob.js';
import { defaultKinds, type NoticeKind } from './notice.js';
import type { NoticeRule, NoticesSpec } from './notice-spec.js';
import { minutes } from './time.js';

/** The service that a notice is about; null: the keeper. */
export type Subject = { readonly name: string; readonly tags: readonly string[] } | null;

/** The channels that are told of such a thing, each once, in the order of the rules. */
export function channelsFor(plan: NoticesSpec, kind: NoticeKind, subject: Subject): readonly string[] {
  const told = plan.rules
    .filter((rule) => (rule.kinds ?? defaultKinds).includes(kind) && isAbout(rule, subject))
    .flatMap(({ tell }) => tell);
  return [...new Set(told)].filter((channel) => Object.hasOwn(plan.channels, channel));
}

/** A rule that names services is not about the keeper. */
function isAbout({ services }: NoticeRule, subject: Subject): boolean {
  if (services === null) return true;
  return subject !== null && services.some((selector) => isMeant(selector, subject));
}

function isMeant(selector: string, { name, tags }: NonNullable<Subject>): boolean {
  if (selector.startsWith('@')) return tags.includes(selector.slice(1));
  return selector === name || (isGlob(selector) && globRegex(selector).test(name));
}

/** What has a line in the keeper's own log stands in syslog already, and in what the keeper prints. */
const unsaid: readonly NoticeKind[] = ['flapping', 'recovered', 'hold-ended'];

/** Where the configuration has no `notices`: syslog, where the host has one, for what the keeper's own log does not say. */
export function planWithout(syslog: 'yes' | 'no'): NoticesSpec {
  const rest = { digest: minutes(5), remind: minutes(240) };
  if (syslog === 'no') return { channels: {}, rules: [], ...rest };
  return {
    channels: { syslog: { type: 'syslog', facility: 'daemon', server: null } },
    rules: [{ kinds: unsaid, services: null, tell: ['syslog'] }],
    ...rest,
  };
}
