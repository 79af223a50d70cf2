import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import type { What } from './change.js';
import { failedStart } from './death.js';
import { messageOf } from './message.js';
import { newService } from './state.js';
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
