import { describe, expect, it } from 'vitest';
import { letter, notice, postMortem, TEN } from '../../test/support/letters.js';
import type { Notice } from '../core/notice.js';
import { wallTime } from '../core/time.js';
import { textOf } from './letter-text.js';

process.env.TZ = 'UTC';

const linesOf = (text: string): readonly string[] => text.trimEnd().split('\n');

describe('the text of a letter', () => {
  it('says what it means, what happened, why, what comes next and how to change that', () => {
    expect(textOf(letter())).toBe(`worker (Job queue: no mails go out while it is down): exit 1 after 4 s, 5th
in 10 min, retrying in 30 s.

It exited with code 1 for the fifth time in ten minutes.
It is tried again every minute.

What happened (2026-11-20, +0000)
  10:00:00.000  died     exited with code 1
  +1 ms         noticed  noticed by its pidfd

Cause: exited with code 1 after 4 s
  seen      exit code 1 (wait status)
  unknown   the kernel log cannot be read (kernel log)

Its last lines
    connecting to db:5432
    Error: connect ECONNREFUSED 10.0.0.7:5432

Others in the same moment
  db            killed by SIGKILL (12 ms before)

What you can do
  upkeep why worker                 shows all that is known
  upkeep stop worker                leaves it down

Host:     web3
Time:     2026-11-20 10:00:00 +0000
Runbook:  https://wiki.example.org/worker
Incident: w-3fq9
`);
  });

  it('of a recovery says how long it was down, and nothing of what is not known', () => {
    const up = notice({
      kind: 'recovered',
      label: 'UP',
      headline: 'up again after 12 min, 5 starts',
      description: null,
      runbook: null,
      postMortem: null,
      commands: [],
      story: [],
      outage: 720_000,
    });
    expect(textOf(letter(up))).toBe(`worker: up again after 12 min, 5 starts.

Host:     web3
Time:     2026-11-20 10:00:00 +0000
Outage:   12 min
Incident: w-3fq9
`);
  });

  it('of several says each in two lines', () => {
    const restarted = (service: string, after: number): Notice =>
      notice({
        service,
        label: 'RESTARTED',
        headline: 'killed by SIGKILL, up again after 0.3 s',
        outage: 300,
        time: wallTime(TEN + after),
        incident: `${service}-1`,
      });
    expect(
      textOf(letter(restarted('db', 0), restarted('web', 2500))),
    ).toBe(`[RESTARTED] db: killed by SIGKILL, up again after 0.3 s
  10:00:00.000, down for 0.3 s, incident db-1
[RESTARTED] web: killed by SIGKILL, up again after 0.3 s
  10:00:02.500, down for 0.3 s, incident web-1

Host:     web3
Time:     2026-11-20 10:00:02 +0000
`);
  });

  it('of two hundred says how many more there are', () => {
    const many = Array.from({ length: 200 }, (_, index) => notice({ service: `s${index}`, headline: 'restarted' }));
    const lines = linesOf(textOf(letter(...many)));
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(lines).toContain('and 173 more: upkeep history');
  });

  const noisy = notice({
    story: Array.from({ length: 30 }, () => 'A sentence of many words that goes on and on. '.repeat(30)),
    commands: Array.from({ length: 30 }, (_, index) => ({ command: `upkeep ${index}`, does: 'does' })),
    postMortem: postMortem({
      timeline: Array.from({ length: 50 }, (_, after) => ({ what: 'started', time: '', after, text: 'x'.repeat(100) })),
      evidence: Array.from({ length: 50 }, () => ({ about: 'status', text: 'y', grade: 'seen', source: 'z' })),
      neighbours: Array.from({ length: 500 }, () => ({ service: 'n', text: 't', after: 5 })),
      output: Array.from({ length: 500 }, (_, index) => `line ${index}`),
    }),
  });

  it('has at most 60 lines, and the incident is among them', () => {
    const lines = linesOf(textOf(letter(noisy)));
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(lines.at(-1)).toBe('Incident: w-3fq9');
    expect(lines).toContain('  and 495 more');
    const chatty = linesOf(
      textOf(letter(notice({ postMortem: postMortem({ output: noisy.postMortem?.output ?? [] }) }))),
    );
    expect(chatty.filter((line) => line.startsWith('    line')).length).toBe(20);
    expect(chatty).toContain('    line 499');
  });

  it('is harmless, whatever a program printed or is called', () => {
    const evil = [
      'x\r\n.\r\nMAIL FROM:<me>',
      '\u001b]0;title\u0007\u001b[2J',
      'a'.repeat(1_000_000),
      '\u202egpj.exe',
      '<script>',
      '\ud800',
      '\u0000',
    ];
    for (const text of evil) {
      const one = notice({
        service: text,
        description: text,
        headline: text,
        story: [text],
        incident: text,
        runbook: text,
        commands: [{ command: text, does: text }],
        postMortem: postMortem({ sentence: text, output: evil, neighbours: [{ service: text, text, after: 0 }] }),
      });
      for (const all of [letter(one), letter(one, one)]) {
        const body = textOf({ ...all, host: text });
        expect(body).not.toMatch(/[^\P{Cc}\n]|[\p{Cs}\u2028\u2029\u202a-\u202e]/u);
        expect(linesOf(body).length).toBeLessThanOrEqual(60);
        expect(body.length).toBeLessThan(20_000);
      }
    }
  });
});
