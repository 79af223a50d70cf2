// What `oneshot` means for `ready`: it is ready when it is done, so no probe is asked, and nothing limits its work unless
// somebody says so. Knows trees, no services.

import { PROBES } from './ready.js';
import { complain, type Reading } from './shape.js';
import { type Dict, dictOf, type Entry, isNull, leafOf, OURS, type Tree, valueAt } from './tree.js';

/** The last layer that says something of it decides. */
export function isOneshotIn(layers: readonly Dict[]): boolean {
  const saying = layers.findLast((layer) => layer.entries.some(({ key }) => key === 'oneshot'));
  const said = valueAt(saying, 'oneshot');
  return said?.type === 'leaf' && said.value === true;
}

/** With our own default for a oneshot. Undefined when a probe stands there; then it was reported. */
export function asOneshot(merged: Dict, reading: Reading): Dict | undefined {
  const ready = valueAt(merged, 'ready');
  const probe = ready?.type === 'dict' ? ready.entries.find(({ key }) => PROBES.some((one) => one === key)) : undefined;
  if (probe !== undefined && !isNull(probe.value)) {
    const message =
      'a oneshot is ready when it has exited 0, so nothing else can make it so; take the probe out (`timeout` alone may stand here)';
    return complain({ ...reading, key: `${reading.key}.ready` }, probe.at, message);
  }
  if (ready !== undefined && (ready.type !== 'dict' || valueAt(ready, 'timeout') !== undefined)) return merged;
  const unlimited: Entry = { key: 'timeout', at: OURS.at, value: leafOf(OURS, 'none') };
  const value: Tree = ready ?? dictOf(OURS, {});
  const timed: Tree = value.type === 'dict' ? { ...value, entries: [...value.entries, unlimited] } : value;
  return {
    ...merged,
    entries: [...merged.entries.filter(({ key }) => key !== 'ready'), { key: 'ready', at: timed.at, value: timed }],
  };
}

/** The settings as they are shown: without the probe that is never asked. */
export function shownOneshot(effective: Dict): Dict {
  const entries = effective.entries.map((entry) =>
    entry.key === 'ready' && entry.value.type === 'dict'
      ? { ...entry, value: { ...entry.value, entries: entry.value.entries.filter(({ key }) => key === 'timeout') } }
      : entry,
  );
  return { ...effective, entries };
}
