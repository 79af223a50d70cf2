import { describe, expect, it } from 'vitest';
import { Guard } from './guard.js';

function guard(env: Record<string, string>, ppid: number): { readonly it: Guard; readonly sent: unknown[] } {
  const sent: unknown[] = [];
  return { it: new Guard({ env, ppid: () => ppid, kill: (pid, signal) => sent.push([pid, signal]) }), sent };
}

describe('the guard', () => {
  it('is told of an end that was meant, and of no other', () => {
    const { it: one, sent } = guard({ UPKEEP_GUARD: '40', UPKEEP_GUARD_LIFE: '3' }, 40);
    one.farewell();
    expect(sent).toEqual([]);
    one.keeps();
    one.meant();
    one.farewell();
    expect(sent).toEqual([[40, 'SIGUSR1']]);
  });

  it('is told of a refusal in the first life only, before it has kept anything', () => {
    const first = guard({ UPKEEP_GUARD: '40', UPKEEP_GUARD_LIFE: '1' }, 40);
    first.it.farewell();
    expect(first.sent).toEqual([[40, 'SIGUSR1']]);
    const kept = guard({ UPKEEP_GUARD: '40', UPKEEP_GUARD_LIFE: '1' }, 40);
    kept.it.keeps();
    kept.it.farewell();
    expect(kept.sent).toEqual([]);
  });

  it('that is gone is not taken for whoever is our parent now, whom the signal would kill', () => {
    const { it: one, sent } = guard({ UPKEEP_GUARD: '40', UPKEEP_GUARD_LIFE: '1' }, 1);
    one.meant();
    one.farewell();
    expect(sent).toEqual([]);
    expect(one.state).toEqual({ type: 'gone', pid: 40 });
    expect(one.problems.join()).toContain('`upkeep shutdown --leave`, then start it anew');
  });

  it('that was installed and is gone comes back by another install', () => {
    const { problems } = guard({ UPKEEP_GUARD: '40', UPKEEP_OWNER: 'guard' }, 1).it;
    expect(problems.join()).toContain('`upkeep install` puts it below a new one');
  });

  it.each(['', '0', 'x', '-1'])('is nobody where the environment says %j', (said) => {
    expect(guard({ UPKEEP_GUARD: said }, 1).it.state).toEqual({ type: 'none' });
  });
});
