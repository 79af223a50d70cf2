import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../core/time.js';
import { Wakeups } from './wakeups.js';

describe('wake-ups', () => {
  it('behave like a map from which the earliest is taken, whatever is set, replaced and cancelled', () => {
    const action = fc.oneof(
      fc.record({
        type: fc.constant('set' as const),
        name: fc.constantFrom(...'abcdefgh'),
        at: fc.option(fc.nat(100)),
      }),
      fc.record({ type: fc.constant('take' as const), now: fc.nat(100) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const wakeups = new Wakeups();
        const model = new Map<string, number>();
        for (const it of actions) {
          if (it.type === 'set') {
            wakeups.set(it.name, it.at === null ? null : instant(it.at));
            if (it.at === null) model.delete(it.name);
            else model.set(it.name, it.at);
          } else {
            const due = [...model].filter(([, at]) => at <= it.now);
            expect([...wakeups.takeDue(instant(it.now))].sort()).toEqual(due.map(([name]) => name).sort());
            for (const [name] of due) model.delete(name);
          }
          expect(wakeups.next()).toBe(model.size === 0 ? null : Math.min(...model.values()));
        }
      }),
    );
  });
});
