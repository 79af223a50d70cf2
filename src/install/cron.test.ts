import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronFileText, cronLine, mergeLine } from './cron.js';
import { cronCommand, shellWord, systemdWord } from './quote.js';
import { markText, parseMark } from './stopped-mark.js';
import type { Target } from './target.js';

const target: Target = {
  whose: 'user',
  uid: 1000,
  user: 'alice',
  configHome: '/home/alice/.config',
  node: '/usr/bin/node',
  program: '/opt/up keep/bin/upkeep',
  scripts: '/opt/up keep/lib',
  runtime: '/home/alice/.local/state/upkeep/run',
  state: '/home/alice/.local/state/upkeep',
  logs: '/home/alice/.local/state/upkeep/log',
  config: null,
  environment: {},
};

describe('the file of cron', () => {
  it('has one line a minute, a user, SHELL and PATH, and a newline at the end', () => {
    const text = cronFileText({ ...target, whose: 'system' });
    expect(text.split('\n').filter((line) => /^[*0-9]/.test(line))).toEqual([
      `* * * * * root /bin/sh '/opt/up keep/lib/check.sh' ${target.runtime} ${target.state} ${target.logs} /usr/bin/node '/opt/up keep/bin/upkeep' run --leave --system`,
    ]);
    expect(text).toMatch(/^SHELL=\/bin\/sh$/m);
    expect(text).toMatch(/^PATH=.*\/usr\/sbin/m);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('gives the keeper the places that are not the usual ones', () => {
    const text = cronFileText({ ...target, environment: { UPKEEP_STATE_DIR: '/srv/100% up' }, config: '/srv/u.yaml' });
    expect(text).toContain(`env 'UPKEEP_STATE_DIR=/srv/100\\% up' /usr/bin/node`);
    expect(text).toContain('--config /srv/u.yaml\n');
  });
});

describe('the line of a crontab', () => {
  const { text, mark } = cronLine(target);

  it('is added at the end, once', () => {
    expect(mergeLine('', mark, text)).toBe(`${text}\n`);
    expect(mergeLine('a\nb', mark, text)).toBe(`a\nb\n${text}\n`);
    expect(mergeLine(`a\n${text}\n`, mark, text)).toBeNull();
  });

  it('replaces an older variant of itself in its place, and doubles go (rudder-techniques PR 1004)', () => {
    const old = `*/5 * * * * /old/check.sh ${mark}`;
    expect(mergeLine(`a\n${old}\nb\n${old}\n${text}\n`, mark, text)).toBe(`a\n${text}\nb\n`);
  });

  it('is taken out without a trace', () => {
    expect(mergeLine(`a\n${text}\nb\n`, mark, null)).toBe('a\nb\n');
    expect(mergeLine(`${text}\n`, mark, null)).toBe('');
    expect(mergeLine('a\n', mark, null)).toBeNull();
  });

  it('is not mistaken for that of another keeper of the same user, nor for one that is commented out', () => {
    const other = cronLine({ ...target, runtime: '/home/alice/other/run' }).text;
    expect(mergeLine(`${other}\n#${text}\n`, mark, text)).toBe(`${other}\n#${text}\n${text}\n`);
  });

  it('leaves every other line as it was, whatever it is', () => {
    const line = fc.string().map((one) => one.replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const before = `${lines.join('\n')}\n`;
        const merged = mergeLine(before, mark, text) ?? before;
        expect(mergeLine(merged, mark, text)).toBeNull();
        expect(mergeLine(merged, mark, null)).toBe(before);
      }),
    );
  });
});

describe('a word', () => {
  it('is quoted for sh, for cron and for systemd where it has to be', () => {
    expect(shellWord('/usr/bin/node')).toBe('/usr/bin/node');
    expect(shellWord("it's $HOME")).toBe(`'it'\\''s $HOME'`);
    expect(cronCommand(['a', '100% b'])).toBe(`a '100\\% b'`);
    expect(systemdWord('/opt/a b/"c"/50%/$d')).toBe('"/opt/a b/\\"c\\"/50%%/$$d"');
  });
});

describe('the mark of a shutdown', () => {
  it('is three lines, and a name cannot add a fourth', () => {
    const mark = { boot: 'b', at: '2026-11-21T10:00:00.000Z', by: 'mallory\nboot=c' };
    expect(markText(mark)).toBe('boot=b\nat=2026-11-21T10:00:00.000Z\nby=mallory boot=c\n');
    expect(parseMark(markText(mark))).toEqual({ ...mark, by: 'mallory boot=c' });
  });

  it('is none when half of it is missing', () => {
    expect(parseMark('boot=b\nat=')).toBeNull();
  });
});
