import { describe, expect, it } from 'vitest';
import { restartDefaults, supervised } from '../../test/support/builders.js';
import { type Death, failedStart } from './death.js';
import { filed, openIncident } from './incident.js';
import { asPid } from './process.js';
import { newService, type Service } from './state.js';
import { instant, millis, type Now, wallTime } from './time.js';

const at = (ms: number): Now => ({ instant: instant(ms), wall: wallTime(ms), random: ms / 1e9 });
const spec = supervised({ name: 'web', restart: restartDefaults });
const end = (ms: number, served: number | null, cause: Death['cause'] = 'exit'): Death => ({
  ...failedStart('exit', { type: 'exited', code: 1 }, null, 'no', at(ms)),
  ...{ cause, served: served === null ? null : millis(served) },
});
const once = (lastDeath: Death | null): Service => ({ ...newService(spec, instant(0)), lastDeath });

describe('an incident', () => {
  const first = end(1000, 90_000);

  it('begins with an end that nobody asked for', () => {
    expect(filed(once(null), first).incident).toBe(first.incident);
  });

  it.each([
    ['a start that came to nothing', end(2000, null)],
    ['an end before it was well for 30 s', end(20_000, 15_000)],
  ])('goes on with %s', (_what, next) => {
    expect(next.incident).not.toBe(first.incident);
    expect(filed(once(first), next).incident).toBe(first.incident);
  });

  it('is another one once the service was well between them', () => {
    const next = end(60_000, 30_000);
    expect(filed(once(first), next).incident).toBe(next.incident);
  });

  it.each(['requested', 'coupling'] as const)('is another one after an end that was meant: %s', (cause) => {
    const next = end(60_000, null);
    const meant = once(end(1000, 5000, cause));
    expect(filed(meant, next).incident).toBe(next.incident);
    expect(openIncident(meant, at(2000))).toBeNull();
  });

  it('is filed once: again changes nothing', () => {
    const again = filed(once(first), end(2000, null));
    expect(filed(once(again), again)).toEqual(again);
  });

  it('is open until the service has been well for as long', () => {
    const process = { pid: asPid(7), startTicks: 1, inode: null };
    const up: Service = {
      ...once(first),
      state: { name: 'running', since: instant(2000), process, helper: null, deadline: null },
    };
    expect(openIncident(up, at(31_999))).toBe(first.incident);
    expect(openIncident(up, at(32_000))).toBeNull();
    expect(openIncident(once(first), at(99_000))).toBe(first.incident);
    expect(openIncident(once(end(1000, 5000, 'requested')), at(2000))).toBeNull();
  });
});
