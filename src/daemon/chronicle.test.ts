import { beforeEach, describe, expect, it, vi } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import type { Change, What } from '../core/change.js';
import { failedStart } from '../core/death.js';
import type { Entry } from '../core/entry.js';
import { serviceName } from '../core/spec.js';
import { newService, type Service } from '../core/state.js';
import { instant, type Now, wallTime } from '../core/time.js';
import { Chronicle } from './chronicle.js';

const now: Now = { instant: instant(5000), wall: wallTime(1_000_000), random: 0.5 };
const end = failedStart('exit', { type: 'exited', code: 1 }, null, 'no', now);
const died: What = { type: 'startFailed', death: end, next: { type: 'start' } };
const stopped: What = { type: 'stopped' };

function service(name: string): Service {
  return { ...newService(supervised({ name }), instant(0)), lastDeath: end };
}

function change(name: string, what: What): Change {
  return {
    service: serviceName(name),
    time: now.wall,
    generation: 1,
    from: 'running',
    to: 'stopped',
    wave: null,
    what,
  };
}

let passed: Entry[] = [];
let told: number[] = [];
let answers: Array<(lines: readonly string[] | null) => void> = [];

function open(last = 0): Chronicle {
  return new Chronicle({
    ...{ token: 'secret', last, now: () => now, services: () => new Map(), heldBackBy: () => [] },
    lastLines: (_service, callback) => answers.push(callback),
    pass: (entries) => passed.push(...entries),
    told: (number) => told.push(number),
  });
}

/** As the keeper does: numbered while it is recorded, told afterwards. */
function happen(chronicle: Chronicle, ...changes: readonly Change[]): readonly Entry[] {
  const entries = chronicle.number(
    changes.map(({ service: name }) => service(name)),
    changes,
  );
  chronicle.tell();
  return entries;
}

const numbers = (): readonly number[] => passed.map(({ number }) => number);

beforeEach(() => {
  passed = [];
  told = [];
  answers = [];
  vi.useRealTimers();
});

describe('the chronicle', () => {
  it('goes on counting where the keeper before ended, under a name that does not give the token away', () => {
    const [entry] = happen(open(41), change('web', stopped));
    expect(entry).toMatchObject({ number: 42, time: now.wall, output: null });
    expect(entry?.origin).toMatch(/^[0-9a-f]{12}$/);
    expect(entry?.origin).not.toContain('secret');
  });

  it('says with each change what its service was then', () => {
    const [entry] = happen(open(), change('web', died));
    expect(entry?.news).toMatchObject({
      of: 'service',
      about: { kind: 'supervised', incident: end.incident, hold: 'no' },
    });
    expect(entry?.news).toHaveProperty('about.line', expect.stringContaining('failed to start'));
  });

  it('passes an end on with the last lines of its output, and nothing that came later before it', () => {
    const chronicle = open();
    happen(chronicle, change('web', stopped), change('web', died), change('db', stopped));
    expect(numbers()).toEqual([1]);
    answers[0]?.(['Killed']);
    expect(numbers()).toEqual([1, 2, 3]);
    expect(passed[1]?.output).toEqual(['Killed']);
  });

  it('does not wait for a log disk that hangs', () => {
    vi.useFakeTimers();
    const chronicle = open();
    happen(chronicle, change('web', died));
    vi.advanceTimersByTime(1999);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(passed[0]?.output).toBeNull();
    answers[0]?.(['too late']);
    expect(passed).toHaveLength(1);
  });

  it('passes nothing on that may not be recorded yet', () => {
    const chronicle = open();
    chronicle.number([service('web')], [change('web', stopped), change('web', died)]);
    answers[0]?.(null);
    expect(passed).toEqual([]);
    chronicle.tell();
    expect(numbers()).toEqual([1, 2]);
  });

  it('begins with what an earlier keeper recorded and could not tell', () => {
    const [entry] = happen(open(), change('web', stopped));
    passed = [];
    const next = open(7);
    if (entry !== undefined) next.takeUp([entry]);
    happen(next, change('db', stopped));
    expect(numbers()).toEqual([1, 8]);
  });

  it('tells the journal what is safe, and nothing of the numbers of another one', () => {
    const chronicle = open(7);
    const own = happen(chronicle, change('web', stopped), change('db', stopped));
    const foreign = own.map((entry): Entry => ({ ...entry, origin: 'another', number: 500 }));
    chronicle.confirm([...foreign, ...own]);
    chronicle.confirm(foreign);
    expect(told).toEqual([9]);
  });

  it('has room for what happens to the keeper itself', () => {
    const chronicle = open();
    chronicle.note({ type: 'channelLost', channel: 'far', reason: 'no route' });
    chronicle.tell();
    expect(passed[0]?.news).toEqual({
      of: 'keeper',
      what: { type: 'channelLost', channel: 'far', reason: 'no route' },
    });
  });

  it('passes everything on when it is closed', () => {
    const chronicle = open();
    happen(chronicle, change('web', died));
    chronicle.close();
    expect(numbers()).toEqual([1]);
  });
});
