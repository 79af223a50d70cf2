// What the layers of a service say of its heartbeats, once put together: defaults that mean nothing for it give way. Knows
// trees, no specs.

import { heartbeatsIn } from './heartbeat.js';
import { kindsIn } from './heartbeat-keys.js';
import type { Kind } from './shape.js';
import { type Dict, type Entry, leafOf, listOf, OURS, type Tree, valueAt } from './tree.js';

/** The settings of a service with its heartbeats as they count. `merged`: before our own defaults. */
export function withFittingHeartbeats(merged: Dict, kind: Kind): Dict {
  const isStartable = kind === 'supervised' || valueAt(merged, 'start') !== undefined;
  const entries = merged.entries.filter((entry) => !isIdle(entry));
  return { ...merged, entries: isStartable ? entries : entries.map(toldOf) };
}

/** Only a default, which says nothing of what is asked: it means nothing for this service. */
const isIdle = ({ key, value }: Entry): boolean =>
  key === 'heartbeat' && value.type === 'dict' && value.layer.type === 'defaults' && kindsIn(value).length === 0;

/** What nothing starts again is watched and told of. Where somebody says `restart` of it, that is refused. */
function toldOf(entry: Entry): Entry {
  if (entry.key !== 'heartbeat') return entry;
  const { value } = entry;
  const told = heartbeatsIn(value).map(toldOfOne);
  const [only] = told;
  return { ...entry, value: value.type === 'list' ? listOf(value, told) : (only ?? value) };
}

function toldOfOne(heartbeat: Tree): Tree {
  const then = valueAt(heartbeat, 'then');
  const isDefault =
    then === undefined || (then.type === 'leaf' && then.text === 'restart' && then.layer.type === 'defaults');
  if (heartbeat.type !== 'dict' || !isDefault) return heartbeat;
  const others = heartbeat.entries.filter(({ key }) => key !== 'then');
  return {
    ...heartbeat,
    entries: [...others, { key: 'then', at: OURS.at, value: leafOf(OURS, 'notice') }],
  };
}
