import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import type { What } from './change.js';
import { failedStart } from './death.js';
import { messageOf } from './message.js';
import { newService, type Service, type StateName } from './state.js';
import { instant, millis, wallTime } from './time.js';

const now = { instant: instant(1), wall: wallTime(1), random: 0 };
const service = newService(supervised({ name: 'web' }), instant(0));

function textOf(what: What): string | null {
  const change = {
    service: service.spec.name,
    time: now.wall,
    generation: 1,
    from: 'starting',
    wave: null,
    to: 'backoff',
    what,
  } as const;
  return messageOf(change, service)?.text ?? null;
}

describe('the line about a start that failed', () => {
  const death = failedStart('spawn', { type: 'unknown' }, 'ENOENT', '/srv/web: no such file', now);

  it('says once that it failed', () => {
    const next = { type: 'wait', for: millis(12_000) } as const;
    expect(textOf({ type: 'startFailed', death, next })).toBe(
      'web: web failed to start: /srv/web: no such file; trying again in 12 s',
    );
  });

  it('does not count a delay that nobody would notice', () => {
    const next = { type: 'wait', for: millis(30) } as const;
    expect(textOf({ type: 'startFailed', death, next })).toMatch(/; trying again at once$/);
  });

  it('is the only one when nothing matches the watch', () => {
    const next = { type: 'nothing', why: 'try `upkeep match`' } as const;
    expect(textOf({ type: 'failed', failure: { type: 'nothing-matches' }, next })).toBeNull();
  });
});

describe('the line about a hand-over that came to nothing', () => {
  const what = { type: 'handoverRefused', reason: 'it refused', process: null } as const;
  const line = (from: StateName, to: StateName) =>
    messageOf({ service: service.spec.name, time: now.wall, generation: 1, from, to, wave: null, what }, service);

  it('says who goes on, if anybody does, and is no error: nothing is down for it', () => {
    expect(line('handover', 'running')).toEqual({
      level: 'warning',
      text: 'web: web was not replaced, and goes on as it was: it refused',
    });
    expect(line('handover', 'stopping')?.text).toBe('web: web was not replaced: it refused');
    expect(line('stopping', 'stopping')?.text).toBe('web: web goes down all the same: it refused');
  });
});

describe('the line about a reload', () => {
  const reload = { type: 'signal', signal: 'SIGHUP' } as const;

  it.each([
    ['is told by a signal and says nothing of it', reload, 'web: web was told to reload'],
    ['says when it has done so', { ...reload, type: 'notify' } as const, 'web: web has reloaded'],
  ])('of a service that %s', (_, how, text) => {
    const kind = { ...supervised().kind, reload: how };
    const told = { ...service, spec: { ...service.spec, kind } } as Service;
    const change = { service: service.spec.name, time: now.wall, generation: 1, from: 'running', wave: null } as const;
    expect(messageOf({ ...change, to: 'running', what: { type: 'reloaded' } }, told)?.text).toBe(text);
  });
});
