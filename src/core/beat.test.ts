import { describe, expect, it } from 'vitest';
import { heartbeat } from '../../test/support/builders.js';
import { seeded } from '../../test/support/random.js';
import {
  askBeat,
  type Beat,
  beatDeadline,
  beginBeat,
  fallSilent,
  forgetAnswers,
  goOn,
  hasFailedAnew,
  healthyTime,
  hear,
  isQuestionDue,
  leaveOut,
  stateOfBeat,
} from './beat.js';
import type { HeartbeatSpec } from './heartbeat.js';
import type { Answer } from './question.js';
import { instant, type Moment, millis, seconds, wallTime } from './time.js';

const BEGUN = instant(1_000_000);
const WALL = 1_700_000_000_000;

/** So many seconds after the process began; the keeper has been there for long, unless it says otherwise. */
const second = (s: number, steadySince = 0): Moment => ({
  instant: instant(BEGUN + s * 1000),
  wall: wallTime(WALL + s * 1000),
  random: 0.5,
  host: 'up',
  steadySince: instant(steadySince),
});

const GOOD: Answer = { result: 'good', ms: millis(3), detail: '200' };
const FAILED: Answer = { result: 'failed', ms: millis(3), detail: 'refused' };
const UNASKED: Answer = { result: 'unasked', ms: millis(0), detail: 'no such name' };
const answerOf = { '1': GOOD, '0': FAILED, '?': UNASKED } as const;

const beats = (spec: HeartbeatSpec, chance = 0): Beat => beginBeat(spec, undefined, BEGUN, chance, second(0));

/** Asks it and answers at once, once in ten seconds from the twentieth on: 1 good, 0 failed, ? not asked. */
function hearAll(spec: HeartbeatSpec, signs: string, from: Beat = beats(spec)): Beat {
  return [...signs].reduce((beat, sign, index) => {
    const at = second(20 + 10 * index);
    return hear(askBeat(beat, spec, at), spec, answerOf[sign as keyof typeof answerOf], at);
  }, from);
}

/** How often something would be done about it. */
function countFailings(spec: HeartbeatSpec, signs: string): number {
  let beat = beats(spec);
  let count = 0;
  for (const [index, sign] of [...signs].entries()) {
    const at = second(20 + 10 * index);
    const was = askBeat(beat, spec, at);
    beat = hear(was, spec, answerOf[sign as keyof typeof answerOf], at);
    if (!hasFailedAnew(was, beat)) continue;
    count++;
    beat = { ...beat, acted: 'yes' };
  }
  return count;
}

const fails = (count: number, of = count): HeartbeatSpec => heartbeat({ fails: { count, of } });

describe('when it is asked', () => {
  it('is drawn from its interval, and from a minute at most, so that a thousand that start at once are spread (supervisors 24)', () => {
    const random = seeded(1);
    for (const [every, most] of [
      [30, 30],
      [3600, 60],
    ] as const) {
      const spec = heartbeat({ every: { type: 'interval', every: seconds(every) } });
      const phases = Array.from({ length: 1000 }, () => (beats(spec, random.next()).due ?? 0) - BEGUN);
      expect(Math.min(...phases)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...phases)).toBeLessThanOrEqual(most * 1000);
      for (let tenth = 0; tenth < 10; tenth++) {
        const inTenth = phases.filter((phase) => Math.floor((phase * 10) / (most * 1000)) === tenth);
        expect(inTenth.length).toBeGreaterThan(60);
      }
    }
  });

  it('is on a tenth of a second, so that one wake-up asks many', () => {
    for (const chance of [0.111_111, 0.5, 0.999_999]) expect((beats(heartbeat(), chance).due ?? 0) % 100).toBe(0);
  });

  it('is at a fixed pace from the first, whenever the questions really went out', () => {
    const spec = heartbeat();
    const first = beats(spec, 0.5);
    expect(first.due).toBe(BEGUN + 15_000);
    const asked = askBeat(first, spec, second(15.4));
    expect(asked.due).toBe(BEGUN + 45_000);
    expect(hear(asked, spec, GOOD, second(19)).due).toBe(BEGUN + 45_000);
  });

  it('leaves out what has passed: nothing is asked twice to catch up', () => {
    const spec = heartbeat();
    expect(askBeat(beats(spec), spec, second(100)).due).toBe(BEGUN + 120_000);
    expect(askBeat(beats(spec), spec, second(90)).due).toBe(BEGUN + 120_000);
  });

  it('is never while a question is under way: what falls due meanwhile is left out', () => {
    const spec = heartbeat({ every: { type: 'interval', every: seconds(2) }, timeout: seconds(5) });
    const asked = askBeat(beats(spec), spec, second(0));
    expect(isQuestionDue(asked, second(3))).toBe(false);
    const answered = hear(asked, spec, GOOD, second(4.5));
    expect(isQuestionDue(answered, second(4.5))).toBe(false);
    expect(answered.due).toBe(BEGUN + 6_000);
  });

  it('is not while nothing runs', () => {
    const spec = heartbeat();
    const silent = fallSilent(askBeat(beats(spec), spec, second(0)));
    expect(isQuestionDue(silent, second(1000))).toBe(false);
    expect(beatDeadline(silent, spec)).toBeNull();
  });

  it('is told by the calendar where it is a cron expression', () => {
    const spec = heartbeat({ every: { type: 'cron', expression: '*/5 * * * *' } });
    const beat = { ...beats(spec), dueOnWall: wallTime(WALL + 60_000) };
    expect(beat.due).toBeNull();
    expect(isQuestionDue(beat, second(59))).toBe(false);
    expect(isQuestionDue(beat, second(60))).toBe(true);
    expect(askBeat(beat, spec, second(60))).toMatchObject({ due: null, dueOnWall: null, asked: { question: 1 } });
  });

  it('is the next time again where one is left out', () => {
    const spec = heartbeat();
    const asked = askBeat(beats(spec), spec, second(0));
    expect(leaveOut(asked, spec, second(65))).toMatchObject({ asked: null, due: BEGUN + 90_000, answers: [] });
    expect(leaveOut(asked, spec, second(5))).toMatchObject({ asked: null, due: BEGUN + 30_000 });
  });

  it('gives whoever asks ten seconds more than the time-out, and not for ever', () => {
    const spec = heartbeat({ timeout: seconds(5) });
    expect(beatDeadline(askBeat(beats(spec), spec, second(20)), spec)).toBe(BEGUN + 35_000);
  });
});

describe('what is said of it', () => {
  it('is that it fails after so many in a row, and not before (supervisors 24) (monitors 7)', () => {
    expect(hearAll(fails(3), '100').verdict).toBe('ok');
    expect(hearAll(fails(3), '1000').verdict).toBe('failing');
    expect(hearAll(fails(1), '0').verdict).toBe('failing');
    expect(hearAll(fails(3), '00').verdict).toBe('unknown');
  });

  it('is never that of 1-0-1-0-1 where it is 3 in a row, and always where it is 3 of 5 (monitors 13)', () => {
    const flapping = '10101010101010101';
    expect(countFailings(fails(3), flapping)).toBe(0);
    expect(countFailings(fails(3, 5), flapping)).toBeGreaterThan(0);
    expect(hearAll(fails(3, 5), '01010').verdict).toBe('failing');
    expect(hearAll(fails(3, 5), '10101').verdict).toBe('ok');
  });

  it('is forgotten after one success where they count in a row (supervisors 24)', () => {
    expect(countFailings(fails(3), '001001001')).toBe(0);
    expect(hearAll(fails(3), '0001').verdict).toBe('ok');
    expect(hearAll(fails(3), '0001')).toMatchObject({ acted: 'no' });
  });

  it('is done something about once for each time that it fails', () => {
    expect(countFailings(fails(2), '0000000')).toBe(1);
    expect(countFailings(fails(2), '00100100')).toBe(3);
  });

  it('counts nothing that could not be asked, neither for it nor against it (monitors 11)', () => {
    expect(hearAll(fails(3), '0?0??').verdict).toBe('unknown');
    expect(hearAll(fails(3), '0?0??0').verdict).toBe('failing');
    expect(hearAll(fails(1), '????????').verdict).toBe('unknown');
    expect(hearAll(fails(3), '1?').counted).toEqual(['good']);
  });

  it('is unknown while it cannot be asked, unless it is known to fail', () => {
    expect(stateOfBeat(hearAll(fails(3), '1'))).toBe('ok');
    expect(stateOfBeat(hearAll(fails(3), '1?'))).toBe('unknown');
    expect(stateOfBeat(hearAll(fails(3), '1?1'))).toBe('ok');
    expect(stateOfBeat(hearAll(fails(1), '0?'))).toBe('failing');
    expect(stateOfBeat(beats(fails(3)))).toBe('unknown');
  });

  it('moves nobody by an answer that is good or could not be asked, whatever was put off before', () => {
    const spec = fails(3, 5);
    const failing = hearAll(spec, '000');
    expect(failing).toMatchObject({ verdict: 'failing', acted: 'no' });
    for (const [answer, moves] of [
      [GOOD, false],
      [UNASKED, false],
      [FAILED, true],
    ] as const) {
      const was = askBeat(failing, spec, second(100));
      expect(hasFailedAnew(was, hear(was, spec, answer, second(100)))).toBe(moves);
    }
  });

  it('keeps twenty answers, also those that count for nothing', () => {
    const { answers } = hearAll(fails(3), '1?0'.repeat(10));
    expect(answers).toHaveLength(20);
    expect(answers.at(-1)).toEqual({ ...FAILED, time: WALL + 310_000 });
    expect(hearAll(fails(3), '1?0').answers.map(({ result }) => result)).toEqual(['good', 'unasked', 'failed']);
  });

  it('is nothing yet of a new process: the counters begin at zero, what was answered is still there (monitors 13)', () => {
    const spec = fails(3);
    const old = { ...hearAll(spec, '100'), ailing: { since: BEGUN, incident: 'i' } };
    const anew = beginBeat(spec, old, instant(BEGUN + 90_000), 0, second(90));
    expect(anew).toMatchObject({ counted: [], verdict: 'unknown', acted: 'no', lastGood: null, ailing: old.ailing });
    expect(anew.answers).toEqual(old.answers);
    expect(askBeat(anew, spec, second(90)).questions).toBe(old.questions + 1);
  });

  it('counts on under another definition, and begins anew with another question', () => {
    const was = hearAll(fails(5), '10000');
    const shorter = goOn(was, fails(2), 0.5, second(60));
    expect(shorter.counted).toEqual(['failed', 'failed']);
    expect(shorter).toMatchObject({ begun: BEGUN, lastGood: was.lastGood, asked: null });
    expect(forgetAnswers(was)).toMatchObject({ counted: [], verdict: 'unknown', answers: was.answers });
  });
});

describe('its grace', () => {
  const spec = heartbeat({ fails: { count: 1, of: 1 }, grace: seconds(10) });
  const hearAt = (beat: Beat, sign: keyof typeof answerOf, at: Moment): Beat =>
    hear(askBeat(beat, spec, at), spec, answerOf[sign], at);

  it('counts from the start of the process: failures in it are seen, and count for nothing (monitors 14)', () => {
    const failed = hearAt(beats(spec), '0', second(9.9));
    expect(failed).toMatchObject({ verdict: 'unknown', counted: [] });
    expect(failed.answers).toHaveLength(1);
    expect(hearAt(beats(spec), '0', second(10)).verdict).toBe('failing');
  });

  it('counts from there also for a definition that comes later (monitors 14)', () => {
    const late = beginBeat(spec, undefined, BEGUN, 0, second(3600));
    expect(hearAt(late, '0', second(3601)).verdict).toBe('failing');
  });

  it('ends with the first success (monitors 14)', () => {
    const good = hearAt(beats(spec), '1', second(1));
    expect(hearAt(good, '0', second(2)).verdict).toBe('failing');
  });

  it('is not ended by an answer that could not be asked for', () => {
    expect(hearAt(hearAt(beats(spec), '?', second(1)), '0', second(2)).verdict).toBe('unknown');
  });

  it('begins anew when the keeper or the machine has stood still, and ends with the first success after that (supervisors 22)', () => {
    const woken = BEGUN + 3_600_000;
    const good = hearAt(beats(spec), '1', second(20));
    const failed = hearAt(good, '0', second(3605, woken));
    expect(failed.verdict).toBe('ok');
    expect(hearAt(failed, '0', second(3610, woken)).verdict).toBe('failing');
    const goodAgain = hearAt(failed, '1', second(3606, woken));
    expect(hearAt(goodAgain, '0', second(3607, woken)).verdict).toBe('failing');
  });

  it('covers a question that was out while everything stood still, whatever the grace is (supervisors 22)', () => {
    const strict = heartbeat({ fails: { count: 1, of: 1 }, grace: seconds(0) });
    const asked = askBeat(beats(strict), strict, second(20));
    expect(hear(asked, strict, FAILED, second(60, BEGUN + 59_000)).verdict).toBe('unknown');
    expect(hear(asked, strict, FAILED, second(60)).verdict).toBe('failing');
  });
});

describe('how long it did its work', () => {
  it('is until its last good answer, and not at all where there was none', () => {
    expect(healthyTime(hearAll(fails(2), '1100'))).toBe(30_000);
    expect(healthyTime(hearAll(fails(2), '00'))).toBe(0);
  });

  it('is not questioned while it is not known to fail', () => {
    expect(healthyTime(hearAll(fails(3), '100'))).toBeNull();
    expect(healthyTime(beats(fails(3)))).toBeNull();
  });
});
