import { describe, expect, it } from 'vitest';
import { letter, notice } from '../../test/support/letters.js';
import { subjectOf } from './letter-subject.js';

const headline = 'exit 1 after 4 s, 5th in 10 min, retrying in 30 s';

describe('a subject', () => {
  it('says state, service, host, cause and count', () => {
    expect(subjectOf(letter(notice({ headline })))).toBe(
      '[DOWN] worker@web3: exit 1 after 4 s, 5th in 10 min, retrying in 30 s',
    );
  });

  it('calls a long host by its first label, and the keeper by its name', () => {
    expect(subjectOf({ ...letter(notice({ headline })), host: 'web3.internal.example.org' })).toContain(
      'worker@web3: ',
    );
    expect(subjectOf({ ...letter(notice({ headline })), host: 'web3.example.org' })).toContain(
      'worker@web3.example.org: ',
    );
    expect(subjectOf(letter(notice({ service: null, label: 'KEEPER', headline: 'was away for 3 min' })))).toBe(
      '[KEEPER] upkeep@web3: was away for 3 min',
    );
  });

  it('calls a refused hand-over what it is, before what heals by itself', () => {
    const refused = notice({ label: 'REFUSED', headline: 'the new process ended before it was ready: code 3' });
    expect(subjectOf(letter(refused))).toBe('[REFUSED] worker@web3: the new process ended before it was ready: code 3');
    const restarted = notice({ service: 'db', label: 'RESTARTED' });
    expect(subjectOf(letter(restarted, refused))).toBe('[REFUSED] 2 services@web3: worker, db');
  });

  it('that is too long ends with a whole part of the sentence', () => {
    const long = 'killed by SIGSEGV after 4 h (core dumped), 5th in 10 min, gave up until somebody says otherwise';
    expect(subjectOf(letter(notice({ headline: long })))).toBe(
      '[DOWN] worker@web3: killed by SIGSEGV after 4 h (core dumped), 5th in 10 min...',
    );
  });

  it('of several names them, the gravest first', () => {
    const restarted = ['db', 'web', 'mail'].map((service) => notice({ service, label: 'RESTARTED' }));
    expect(subjectOf(letter(...restarted))).toBe('[RESTARTED] 3 services@web3: db, web, mail');
    expect(subjectOf(letter(...restarted, notice({ service: 'dns', label: 'DOWN' })))).toBe(
      '[DOWN] 4 services@web3: dns, db, web, mail',
    );
    const many = Array.from({ length: 40 }, (_, index) => notice({ service: `service-${index}` }));
    expect(subjectOf(letter(...many))).toBe('[DOWN] 40 services@web3: service-0, service-1, service-2, service-3, ...');
  });

  it('of several of one service says how many and what the last one is', () => {
    expect(subjectOf(letter(notice({ headline: 'first' }), notice({ headline })))).toMatch(
      /^\[DOWN\] worker@web3: 2 notices, last: exit 1 after 4 s, 5th in 10 min/,
    );
  });

  it.each([
    ['x\r\nBcc: all@example.org\r\n\r\nbody', 'exit 1\n\nhello'],
    ['a'.repeat(1_000_000), 'b'.repeat(1_000_000)],
    ['👩'.repeat(500), '👩'.repeat(500)],
    ['\u001b]0;x\u0007name', '\u202egpj.exe \u0000'],
    ['<b>', '<script>alert(1)</script> {{7*7}} $(id) `id` %0d%0a'],
  ])('is one line under 80 characters, whatever a program is called or says (monitors 34)', (service, text) => {
    for (const one of [
      letter(notice({ service, headline: text })),
      letter(notice({ service }), notice({ service: `${service}2` })),
    ]) {
      const subject = subjectOf({ ...one, host: text });
      expect([...subject].length).toBeLessThan(80);
      expect(subject).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e]/u);
    }
  });
});
