// What a main process is told of hand-overs in its environment: where its keeper is, what its `handover` says, how long a stop
// waits for it, and where its state may be left. Pure. It must not know what comes of it.

import type { ServiceSpec } from '../core/spec.js';

/** Only of those that could make anything of it: a thousand others are spared the directory. */
export const mayHandOver = ({ kind, handover, notifyAccess, sockets, fdStore, restart }: ServiceSpec): boolean =>
  kind.type === 'supervised' &&
  (handover.mode === 'overlap' ||
    handover.pidFile !== null ||
    notifyAccess !== 'none' ||
    sockets.length > 0 ||
    fdStore > 0 ||
    restart.alwaysAfter.length > 0);

/** `socket`: of the keeper. `file`: where its state is left for the next; null: nowhere. */
export const handoverEnvironment = (
  { handover, kind }: ServiceSpec,
  socket: string,
  file: string | null,
): Readonly<Record<string, string>> => ({
  UPKEEP_SOCKET: socket,
  UPKEEP_HANDOVER: handover.mode,
  ...stopWithin(kind),
  ...(file === null ? {} : { UPKEEP_STATE_FILE: file }),
});

/** From the first signal of its stop to the next, in ms. */
function stopWithin({ stop }: ServiceSpec['kind']): Readonly<Record<string, string>> {
  const first = stop.type === 'ladder' ? stop.rungs[0] : undefined;
  return first === undefined ? {} : { UPKEEP_STOP_WITHIN: first.wait === null ? 'infinity' : String(first.wait) };
}
