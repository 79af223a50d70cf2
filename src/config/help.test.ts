import { describe, expect, it } from 'vitest';
import { allKeys, helpFor, keyList } from './help.js';

describe('help of a key', () => {
  it('says what it means, what to write and the default', () => {
    expect(helpFor('restart.limit')).toEqual({
      type: 'ok',
      lines: [
        'restart.limit (service)',
        '  So many restarts within that time are done, the next is not; or `none`.',
        '  Write: a rate like 10 in 5m, or none',
        '  Default: 10 in 5m',
      ],
    });
  });

  it('finds a key by its whole way too, and those of the top level', () => {
    expect(helpFor('services.web.settle').lines[0]).toBe('settle (service, watched only)');
    expect(helpFor('defaults.leftovers').lines).toContain('  Default: kill, watched leave');
    expect(helpFor('keeper.bootGrace').lines[0]).toBe('keeper.bootGrace (top level)');
    expect(helpFor('notices.channels.mail.via').lines[0]).toBe('notices.channels.mail.via (top level)');
  });

  it('names the keys of the next level, and where there is more', () => {
    expect(helpFor('log.rotate').lines.slice(-2)).toEqual([
      '  Below: size, keep, compress',
      '  More: `upkeep help log.rotate.size`',
    ]);
    const [below, deep, more] = helpFor('heartbeat').lines.slice(-3);
    expect(below).toMatch(/^ {2}Below: http, tcp, unix, .*, process, name, /);
    expect(below).not.toContain('.');
    expect(deep).toMatch(/^ {2}With keys below themselves: .*\bexpect\b/);
    expect(more).toBe('  More: `upkeep help heartbeat.tls`');
  });

  it('says of a key of a heartbeat for which kinds it is', () => {
    expect(helpFor('heartbeat.http').lines).toContain('  This URL is asked for.');
    expect(helpFor('heartbeat.send').lines[1]).toMatch(/^ {2}For tcp, unix: A text that is sent/);
    expect(helpFor('heartbeat.method').lines).toContain('  Default: GET');
    expect(helpFor('heartbeat.expect.status').lines).toContain('  Default: 200-399');
    expect(helpFor('heartbeat.every').lines.at(-1)).toBe('  Default: 30s');
  });

  it('explains the keys of one of many by its table, whatever its name', () => {
    expect(helpFor('sockets').lines.slice(0, 1)).toEqual(['sockets (service, supervised only)']);
    expect(helpFor('sockets').lines.at(-1)).toBe('  More: `upkeep help sockets.listen`');
    expect(helpFor('sockets.lazy').lines).toContain('  Default: false');
    expect(helpFor('handover.drian').lines).toEqual(['there is no key handover.drian; did you mean handover.drain']);
  });

  it('says of a key that comes later that it does', () => {
    expect(helpFor('watch.systemd').lines.at(-1)).toBe(
      '  this version does not have it yet; take it out until one does',
    );
  });

  it.each([
    ['restart.limti', 'there is no key restart.limti; did you mean restart.limit'],
    ['slowEvery', 'there is no key slowEvery; did you mean restart.slowEvery'],
    ['zzzzzz', 'there is no key zzzzzz; `upkeep help keys` lists them all'],
  ])('says what would do for %s', (key, line) => expect(helpFor(key)).toEqual({ type: 'unknown', lines: [line] }));

  it('exists for every key there is', () => {
    for (const { path } of allKeys()) expect(helpFor(path).type).toBe('ok');
    expect(keyList().length).toBeGreaterThan(100);
  });
});
