import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { comebacks } from './comeback.js';
import { asPid } from './process.js';
import type { ServiceSpec } from './spec.js';
import { newService, type Service } from './state.js';
import { instant, wallTime } from './time.js';

const old = supervised({ name: 'web', description: 'old' });
const now = instant(500);
const process = { pid: asPid(77), startTicks: 5, inode: null };
const word = { by: null, since: wallTime(1), until: null, reason: null };
const running: Service = {
  ...newService(old, instant(5)),
  generation: 3,
  state: { name: 'running', since: instant(5), process, helper: null, deadline: null },
};

function comeBack(left: readonly Service[], ...specs: readonly ServiceSpec[]) {
  const byName = new Map(left.map((service) => [service.spec.name as string, service]));
  return [...comebacks(byName, specs, () => undefined, now)];
}

describe('a keeper that comes back', () => {
  it('goes on with every service as it was left', () => {
    expect(comeBack([running], { ...old })).toEqual([{ as: running, events: [] }]);
  });

  it('finds a service that an apply had not reached under its old definition, and brings it to the new one', () => {
    const next = supervised({ name: 'web', description: 'new' });
    expect(comeBack([running], next)).toEqual([
      { as: running, events: [{ type: 'changed', service: 'web', spec: next }] },
    ]);
    const waiting: Service = { ...running, next };
    expect(comeBack([waiting], { ...next })).toEqual([{ as: waiting, events: [] }]);
  });

  it('does not forget a process whose service the configuration has no more', () => {
    expect(comeBack([running])).toEqual([{ as: running, events: [{ type: 'removed', service: 'web' }] }]);
    const leaving: Service = { ...running, fate: 'removed' };
    expect(comeBack([leaving])).toEqual([{ as: leaving, events: [] }]);
    expect(comeBack([leaving], old)).toEqual([
      { as: leaving, events: [{ type: 'changed', service: 'web', spec: old }] },
    ]);
  });

  it('has no second copy of what a keeper was stopping when it was killed in the middle of its own end', () => {
    const ending: Service = {
      ...running,
      fate: 'ending',
      state: {
        ...{
          name: 'stopping',
          servedSince: null,
          since: instant(9),
          process,
          phase: 'ladder',
          rung: 0,
          hook: 0,
          helper: null,
        },
        ...{ why: 'requested', deadline: null },
      },
    };
    expect(comeBack([ending], old)).toEqual([{ as: { ...ending, fate: 'stays' }, events: [] }]);
    expect(comeBack([ending])).toMatchObject([{ as: { fate: 'stays' }, events: [{ type: 'removed' }] }]);
  });

  it('begins anew with what its own end had put to rest, and remembers what operators said', () => {
    const put: Service = {
      ...running,
      fate: 'ending',
      hold: word,
      state: { name: 'stopped', since: instant(9), why: 'requested' },
    };
    const [back] = comeBack([put], old);
    expect(back).toEqual({ as: { ...newService(old, now), generation: 3, hold: word }, events: [] });
    expect(comeBack([put])).toEqual([]);
  });

  it('knows a new service by what operators said of it before the last boot', () => {
    const [back] = comebacks(new Map(), [old], () => ({ override: null, hold: word }), now);
    expect(back?.as).toEqual({ ...newService(old, now), hold: word });
  });
});
