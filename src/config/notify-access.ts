// Whose words by sd_notify count for a service: what `notify` says, what `ready` says of it, or what follows from all that
// waits for such words.

import type { NotifyAccess } from '../core/socket.js';
import { notifierIn } from './ready.js';
import type { Fields } from './record.js';
import type { serviceKeys } from './service-keys.js';
import { below, complain, type Reading } from './shape.js';
import { type Dict, leafOf, OURS, type Tree, valueAt } from './tree.js';

/** Undefined when the settings contradict each other; then a problem was reported. `tree`: the effective settings. */
export function notifyAccessOf(
  fields: Fields<typeof serviceKeys>,
  tree: Tree,
  reading: Reading,
): NotifyAccess | undefined {
  const ready = valueAt(tree, 'ready');
  const notifier = ready === undefined ? null : notifierIn(ready);
  const said = fields.notify;
  const [waiting] = waitingFor(fields);
  if (said === null) return notifier ?? (waiting === undefined ? 'none' : 'main');
  const own = below(reading, 'notify');
  const at = valueAt(tree, 'notify')?.at ?? tree.at;
  if (notifier !== null && notifier !== said)
    return complain(own, at, `found ${said}, but \`ready\` says ${notifier}; write it in one of the two`);
  if (said === 'none' && waiting !== undefined)
    return complain(
      own,
      at,
      `found none, but ${waiting} waits for its words; write main, exec or all, or take ${waiting} out`,
    );
  return said;
}

/** The settings that mean nothing without a word of the service. */
function waitingFor({ ready, watchdog, fdStore, reload, handover }: Fields<typeof serviceKeys>): readonly string[] {
  return [
    ...(ready.probe.type === 'notify' ? ['`ready: notify`'] : []),
    ...(watchdog === null ? [] : ['`watchdog`']),
    ...(fdStore === 0 ? [] : ['`fdStore`']),
    ...(reload?.type === 'notify' ? ['`reload: {notify: true}`'] : []),
    ...(handover.mode === 'overlap' ? ['`handover: overlap`'] : []),
  ];
}

/** The same settings with what follows where nothing is said. */
export function withNotifyAccess(effective: Dict, access: NotifyAccess): Dict {
  if (valueAt(effective, 'notify') !== undefined) return effective;
  return { ...effective, entries: [...effective.entries, { key: 'notify', at: OURS.at, value: leafOf(OURS, access) }] };
}
