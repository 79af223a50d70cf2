import { describe, expect, it } from 'vitest';
import { letter, notice } from '../../test/support/letters.js';
import { jsonOf } from './letter-json.js';
import { lineOf } from './notice-line.js';

describe('a letter for programs', () => {
  it('has a version, the mail as text, and each notice with its post-mortem', () => {
    expect(JSON.parse(jsonOf(letter()))).toMatchObject({
      version: 1,
      id: 'admin-k1-17',
      channel: 'admin',
      host: 'web3',
      time: '2026-11-20T10:00:00.000Z',
      subject: '[DOWN] worker@web3: exit 1 after 4 s, 5th in 10 min, retrying in 30 s',
      text: expect.stringContaining('Incident: w-3fq9'),
      notices: [
        {
          id: 'k1-17',
          kind: 'failed',
          label: 'DOWN',
          time: '2026-11-20T10:00:00.000Z',
          incident: 'w-3fq9',
          service: 'worker',
          postMortem: {
            sentence: 'exited with code 1 after 4 s',
            output: ['connecting to db:5432', expect.any(String)],
          },
          outage: null,
          reminder: 0,
        },
      ],
    });
  });
});

describe('a notice on one line', () => {
  it('says state, service, cause and incident', () => {
    expect(lineOf(notice())).toBe('[DOWN] worker: exit 1 after 4 s, 5th in 10 min, retrying in 30 s (incident w-3fq9)');
    expect(lineOf(notice({ service: null, label: 'KEEPER', headline: 'was away for 3 min', incident: null }))).toBe(
      '[KEEPER] upkeep: was away for 3 min',
    );
  });

  it('stays one, whatever a program is called', () => {
    const evil = notice({ headline: 'x\n<0>Nov 20 kernel: panic', incident: 'a\r\nb', service: '\u001b[2Jx' });
    expect(lineOf(evil)).toBe('[DOWN] x: x <0>Nov 20 kernel: panic (incident a b)');
    expect(lineOf(notice({ headline: 'x'.repeat(1_000_000) })).length).toBeLessThan(900);
  });
});
