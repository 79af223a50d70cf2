// The promise: reminders end when somebody has taken note, a hold is silent until it ends, `upkeep once` tells too, and nothing
// that a program printed or is called does anything but be read.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Audience } from '../support/audience.js';
import { newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';
import { withTracefs } from '../support/tracefs.js';

interface Notice {
  readonly service: string | null;
  readonly kind: string;
  readonly reminder: number;
  readonly headline: string;
}

const noticesIn = (bodies: readonly string[]): readonly Notice[] =>
  bodies.flatMap((body) => (JSON.parse(body) as { notices: readonly Notice[] }).notices);

const failing = { run: ['sh', '-c', 'exit 3'], restart: { limit: '1 in 5m', delay: '0s', then: 'give-up' } };
const sleeper = { run: ['sleep', '1000'], restart: { delay: '0s', limit: 'none', healthyAfter: '1s' } };

/** What does something on a terminal, or hides. */
const UNREADABLE = /\p{Cc}|[\u202e\ufeff]/u;

const canTrace = ((): boolean => {
  const [program = '', ...rest]: readonly string[] = [...withTracefs(), 'test', '-w', '/sys/kernel/tracing/instances'];
  return spawnSync(program, rest).status === 0;
})();

describe('whoever was told', () => {
  it('is reminded, ever more rarely, until the outage is acknowledged', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    const { chat, page } = audience.channels;
    home.configure(
      { known: failing, unknown: failing },
      { notices: { channels: { chat, page }, digest: '1s', remind: '1s' } },
    );
    await home.start([], { env: audience.env });
    const reminders = (service: string): readonly number[] =>
      noticesIn(audience.chat.posted.map(({ body }) => body))
        .filter((notice) => notice.service === service && notice.reminder > 0)
        .map(({ reminder }) => reminder);
    await home.until('a reminder of each', () => reminders('known').length > 0 && reminders('unknown').length > 0);
    expect((await home.upkeep('ack', 'known', '--reason', 'the disk is ordered')).code).toBe(0);
    // One that was written before may be on its way.
    const counted = reminders('unknown').length;
    await home.until('one more of the other', () => reminders('unknown').length > counted);
    const known = reminders('known');
    await home.until('another one', () => reminders('unknown').length > counted + 1);
    expect(reminders('known')).toEqual(known);
    expect(reminders('unknown')).toEqual(reminders('unknown').map((_, index) => index + 1));
  });

  it('hears nothing of what is on hold, and at its end what it finds', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    const { chat, page } = audience.channels;
    home.configure({ web: sleeper, db: sleeper }, { notices: { channels: { chat, page }, digest: '200ms' } });
    await home.start([], { env: audience.env });
    const pid = await home.running('web');
    expect((await home.upkeep('hold', 'web', '--for', '4s', '--reason', 'a new disk')).code).toBe(0);
    signal(pid, 'SIGKILL');
    signal(await home.running('db'), 'SIGKILL');
    // Of another, in the same time, they hear.
    await audience.heard('db', 'RESTARTED', ['chat', 'page']);
    await audience.heard('web', 'UP', ['chat', 'page']);
    for (const bodies of [audience.chat.posted.map(({ body }) => body), audience.pages()]) {
      const notices = noticesIn(bodies).filter(({ service }) => service === 'web');
      expect(notices.map(({ kind }) => kind)).toEqual(['hold-ended', 'recovered']);
      expect(notices[0]?.headline).toMatch(/the hold has ended; down for /);
    }
  });
});

describe('upkeep once', () => {
  it('tells what it found before it ends', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    const { mail, log, file, page } = audience.channels;
    const watch = home.write('sbin/oldd', '#!/bin/sh\n', 0o755);
    const old = {
      watch,
      start: ['sh', '-c', 'echo no licence >&2; exit 1'],
      restart: { delay: '0s', limit: '1 in 1h' },
    };
    home.configure({ old }, { notices: { channels: { mail, log, file, page } } });
    expect((await home.upkeep('once')).code).toBe(3);
    for (const name of ['mail', 'log', 'file', 'page']) {
      const [first] = audience.told(name, 'old');
      expect([name, first?.label]).toEqual([name, expect.stringMatching(/^(DOWN|FAILED)$/)]);
    }
    expect(audience.mail.received[0]?.mail.text).toContain('no licence');
  });
});

describe('what programs print and are called', () => {
  it('does nothing in a header, a line or a variable', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    // A long line, colours, a title of the terminal, headers of a mail, HTML, half a character, an end of a mail.
    const print = `print "x" x 1_000_000, "\\n", "\\e[31mred\\e[0m \\e]0;title\\a bell\\r\\nBcc: all\\@example.org\\r\\n",
      "<script>alert(1)</script> \\xff\\xfe\\xc3( \\x00 \\xe2\\x80\\xae\\n", ".\\n", "\\r\\n\\r\\nSubject: two\\n"; exit 3`;
    home.configure(
      {
        evil: { run: ['perl', '-e', print], restart: { limit: '1 in 5m', delay: '0s', then: 'give-up' } },
        web: { run: ['sleep', '1000'], restart: { preventExit: ['SIGKILL'] } },
      },
      { notices: { channels: audience.channels, rules: [{ kinds: ['failed'], tell: audience.names }] } },
    );
    await home.start([], { env: audience.env, before: canTrace ? withTracefs() : [] });
    await audience.heard('evil', 'FAILED');
    // Killed by one with a name of the same kind.
    const name = '\\r\\nTo: x\\e[5m';
    const killer = spawn('perl', ['-e', `$0 = "${name}"; kill 9, shift; sleep 5`, String(await home.running('web'))]);
    await once(killer, 'exit');
    await audience.heard('web', 'FAILED');

    const mails = audience.mail.received.map(({ mail }) => mail);
    expect(mails).toHaveLength(2);
    for (const mail of mails) {
      expect(mail.headerNames.filter((header) => /^(bcc|to|subject)$/i.test(header)).sort()).toEqual(['Subject', 'To']);
      expect(mail.header('To')).toBe('ops@example.org');
      expect(mail.header('Subject')?.length).toBeLessThan(80);
      expect(mail.text.replaceAll('\n', '')).not.toMatch(UNREADABLE);
      expect(mail.text.split('\n').length).toBeLessThanOrEqual(61);
      expect(mail.text.length).toBeLessThan(20_000);
    }
    const [ofEvil, ofWeb] = mails;
    expect(ofEvil?.text).toContain('red');
    expect(ofEvil?.text).toContain('    <script>alert(1)</script>');
    if (canTrace) expect(ofWeb?.text).toMatch(/SIGKILL from .*To: x/);
    for (const channel of ['log', 'file']) expect(audience.messages(channel)).toHaveLength(2);
    expect(home.read('notices.log').replaceAll('\n', '')).not.toMatch(UNREADABLE);
  });
});
