// What people read of a hand-over, as whole sentences: whoever asked for it, whoever looks meanwhile, and whoever is written to.

import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/core/message.js';
import { outlookOf } from '../../src/core/outlook.js';
import { reasonOf } from '../../src/core/reason.js';
import { standingOf as standingIn } from '../../src/core/standing.js';
import { seconds } from '../../src/core/time.js';
import { worldOf } from '../../src/core/world.js';
import { supervised } from '../support/builders.js';
import { Newsroom } from '../support/newsroom.js';
import { drains, exitsAfter, handsOver, hangsAfter, pings, program, readyAfter } from '../support/program.js';
import type { Stage } from '../support/stage.js';
import { http, overlapping, polite, progressSince, reach, serving, standingOf } from '../support/succession.js';

const slow = program(handsOver(), readyAfter(50), drains(5_000));

const outlookIn = (stage: Stage) => outlookOf(worldOf(stage.keeper.services));
const reasonIn = (stage: Stage): string => reasonOf(stage.service('web'), stage.clock.now(), outlookIn(stage));
const why = (stage: Stage) => standingIn(stage.service('web'), stage.clock.now(), outlookIn(stage));

/** Numbers of processes and lengths of time by name, so that a sentence can be read. */
const named = (text: string, names: Readonly<Record<string, number>>): string =>
  Object.entries(names).reduce((so, [name, pid]) => so.replace(new RegExp(`\\b${pid}\\b`, 'g'), name), text);

describe('whoever asked for a restart', () => {
  it('is told by whom it was replaced, how long that took, and what went over', () => {
    const stage = serving(overlapping(), slow);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.runUntilState('web', 'running');
    const pids = { OLD: was.main.ref.pid, NEW: stage.serving('web').ref.pid };
    expect(named(progressSince(stage, was).text, pids)).toMatch(
      /^running \(pid NEW\), was pid OLD; (\d+ ms|0\.\d s); [\d.]+ (B|KiB|MiB) of state went over; pid OLD finishes what it has begun$/,
    );
  });

  it('hears nothing of the refusal of somebody who asked after that (D8)', () => {
    const stage = serving();
    const was = standingOf(stage);
    reach(stage, 'warming');
    const second = standingOf(stage);
    stage.ask('web', 'restart');
    expect(progressSince(stage, second)).toMatchObject({ type: 'failed', text: expect.stringMatching(/under way/) });
    expect(progressSince(stage, was)).toMatchObject({ type: 'pending' });
    stage.runUntilState('web', 'running');
    expect(progressSince(stage, was)).toMatchObject({ type: 'done' });
  });

  it('is told on the way how far it is', () => {
    const stage = serving(overlapping(), slow);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    const seen: string[] = [];
    stage.runUntil(() => {
      const { type, text } = progressSince(stage, was);
      if (type === 'pending' && text !== seen.at(-1)) seen.push(text);
      return type !== 'pending';
    });
    expect(seen).toEqual([
      'the new generation gets ready',
      'the state goes over',
      'the new generation looks at its state',
    ]);
    const lines = stage.changes
      .slice(was.changes)
      .flatMap((change) => messageOf(change, stage.service('web'))?.text ?? []);
    const pids = { OLD: was.main.ref.pid, NEW: stage.serving('web').ref.pid };
    expect(
      lines.map((line) =>
        named(line, pids)
          .replace(/\d+ ms|\d\.\d s/, 'TIME')
          .replace(/[\d.]+ \w*B /, 'SIZE '),
      ),
    ).toEqual([
      'web: restart',
      'web: handing over: generation 2 of web is started beside the old one',
      'web: the new generation of web is started as pid NEW',
      'web: the state of web goes over',
      'web: SIZE of state of web went over',
      'web: the new generation of web is ready',
      'web: web is running (pid NEW), was pid OLD; handed over in TIME, and pid OLD finishes what it has begun',
    ]);
  });

  it('is told why it came to nothing, and who goes on', () => {
    const refusing = program(handsOver({ verdict: 'refused' }), readyAfter(50));
    const stage = serving(overlapping(), polite, [refusing]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.runUntilState('web', 'running');
    expect(progressSince(stage, was)).toEqual({
      type: 'failed',
      text: `the new generation refused: its state is of a newer schema; the old generation goes on (pid ${was.main.ref.pid})`,
    });
  });

  it('is told how long nobody was there where it is stopped and started, since connections were queued', () => {
    const stage = serving(
      overlapping({ sockets: [http], handover: { mode: 'replace' } }),
      program(drains(84), readyAfter(50)),
    );
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.runUntil(() => progressSince(stage, was).type !== 'pending');
    expect(progressSince(stage, was).text).toMatch(
      /^running \(pid \d+\); (\d+(\.\d)? ms|0\.\d s) without a process; who connected meanwhile was queued$/,
    );
  });

  it('is told nothing of a gap where nobody could have been queued', () => {
    const stage = serving(overlapping({ handover: { mode: 'replace' } }), program(readyAfter(50)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.runUntil(() => progressSince(stage, was).type !== 'pending');
    expect(progressSince(stage, was).text).toMatch(/^running \(pid \d+\)$/);
  });

  it('is told that its state was kept where it is stopped and started', () => {
    const stage = serving(overlapping({ sockets: [http], handover: { mode: 'replace' } }), polite);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.runUntil(() => progressSince(stage, was).type !== 'pending');
    expect(progressSince(stage, was).text).toMatch(
      /without a process; who connected meanwhile was queued; [\d.]+ \w*B of state was kept$/,
    );
  });
});

describe('whoever looks meanwhile', () => {
  it('sees both processes, and what comes next', () => {
    const stage = serving(overlapping(), slow);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(5);
    const { state } = stage.service('web');
    const pids = { OLD: was.main.ref.pid, NEW: state.name === 'handover' ? (state.successor?.pid ?? 0) : 0 };
    expect(named(reasonIn(stage), pids)).toMatch(/ \(pid NEW\); pid OLD serves$/);
    const { sentences, next } = why(stage);
    expect(named(sentences[0] ?? '', pids)).toMatch(
      /^web runs as process OLD, and has been handing over to process NEW for 0\.\d s: .*; nothing has changed until that is ready$/,
    );
    expect(next).toMatch(
      /^the new generation takes over when it is ready(, within [^;]*)?; if it is not, or refuses, the old one goes on$/,
    );
  });

  it('sees who drains, and for how long it may', () => {
    const stage = serving(overlapping(), slow);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.runUntilState('web', 'running');
    stage.run(2_000);
    expect(reasonIn(stage)).toBe(`running for 2.0 s; pid ${was.main.ref.pid} finishes what it has begun`);
    expect(why(stage).sentences).toContain(
      `process ${was.main.ref.pid} (generation 1) serves no more, and has been finishing what it had begun for 2.0 s; it is ended in 58 s`,
    );
  });
});

describe('a mail', () => {
  const refusing = program(readyAfter(null), exitsAfter(20, 3));

  it('says why a hand-over was refused, and that nothing is down; of each attempt', () => {
    const stage = serving(overlapping(), polite, [refusing]);
    const newsroom = new Newsroom(stage);
    for (let attempt = 1; attempt <= 2; attempt++) {
      stage.ask('web', 'restart');
      stage.run(60_000);
    }
    const notices = newsroom.letters.flatMap((letter) => letter.notices);
    expect(notices.map(({ kind, label }) => [kind, label])).toEqual([
      ['handover-refused', 'REFUSED'],
      ['handover-refused', 'REFUSED'],
    ]);
    expect(new Set(notices.map(({ id }) => id)).size).toBe(2);
    expect(notices[0]).toMatchObject({
      headline: 'the new process ended before it was ready: code 3; the old one goes on',
      story: [
        'web was not replaced: the new process ended before it was ready: code 3.',
        'Nothing is down: the old generation serves as before, under its old definition.',
      ],
      postMortem: null,
      commands: [
        { command: 'upkeep logs web', does: 'shows what both generations printed' },
        { command: 'upkeep restart web', does: 'tries again' },
      ],
    });
  });
});

describe('a service that does not say that it lives', () => {
  it('is told of with the time that it was silent for, and that the end was ours', () => {
    const spec = supervised({
      name: 'web',
      ready: { probe: { type: 'notify' } },
      notifyAccess: 'main',
      watchdog: seconds(30),
    });
    const stage = serving(spec, program(handsOver(), readyAfter(50), pings(5_000), hangsAfter(70_000)));
    stage.runUntil(() => stage.happened('web', 'died').length > 0);
    const [died] = stage.happened('web', 'died');
    expect(died === undefined ? null : messageOf(died, stage.service('web'))?.text).toMatch(
      /^web: web is not running, restarting.*: did not say for 30 s that it lives; ended by us \(SIGABRT.*\)$/,
    );
  });
});
