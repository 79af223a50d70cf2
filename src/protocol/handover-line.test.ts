import { describe, expect, it } from 'vitest';
import { readLine, writeLine } from './handover-line.js';
import { LineSplitter } from './line-splitter.js';

const line = (value: unknown): string => JSON.stringify(value);

describe('a line of a service', () => {
  it('is one of the words', () => {
    const words = [
      [
        { say: 'hello', state: true },
        { type: 'hello', state: 'yes' },
      ],
      [{ say: 'hello' }, { type: 'hello', state: 'no' }],
      [
        { say: 'hello', state: 'yes' },
        { type: 'hello', state: 'no' },
      ],
      [
        { say: 'notify', text: 'READY=1\nSTATUS=up' },
        { type: 'notify', text: 'READY=1\nSTATUS=up' },
      ],
      [{ say: 'wantsState' }, { type: 'wantsState' }],
      [
        { say: 'exported', bytes: 0 },
        { type: 'exported', bytes: 0 },
      ],
      [{ say: 'noState' }, { type: 'noState' }],
      [
        { say: 'exportFailed', reason: 'disk full' },
        { type: 'exportFailed', reason: 'disk full' },
      ],
      [{ say: 'refused' }, { type: 'refused', reason: '' }],
    ] as const;
    for (const [said, saying] of words) expect(readLine(line(said))).toEqual({ type: 'said', saying });
  });

  it('may have members that nobody knows, and be a word of a later version', () => {
    const saying = { type: 'wantsState' };
    expect(readLine(line({ say: 'wantsState', more: [1] }))).toEqual({ type: 'said', saying });
    expect(readLine(line({ say: 'sings', song: 'la' }))).toEqual({ type: 'unknown' });
    // No word of ours, though every object has something of that name.
    expect(readLine(line({ say: 'constructor' }))).toEqual({ type: 'unknown' });
  });

  it('is wrong where nobody who speaks this would say so', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['{', /no object/],
      ['"hello"', /no object/],
      ['[]', /no object/],
      ['null', /no object/],
      ['{}', /no "say"/],
      [line({ say: 1 }), /no text/],
      [line({ say: 'notify' }), /needs a "text"/],
      [line({ say: 'exported', bytes: -1 }), /number of "bytes"/],
      [line({ say: 'exported', bytes: '7' }), /number of "bytes"/],
    ];
    for (const [text, reason] of wrong)
      expect(readLine(text)).toEqual({ type: 'wrong', reason: expect.stringMatching(reason) });
  });

  it('has its reason cleaned before anybody reads it', () => {
    const said = readLine(line({ say: 'refused', reason: `state\r\n\u001b[31mis\u202e too new ${'x'.repeat(5000)}` }));
    if (said.type !== 'said' || said.saying.type !== 'refused') throw new Error('it is a refusal');
    expect(said.saying.reason).toMatch(/^state/);
    expect(said.saying.reason).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(said.saying.reason.length).toBeLessThanOrEqual(1000);
  });
});

it('tells a service one word in one line', () => {
  expect(writeLine({ type: 'export', to: '/run/a b' })).toBe('{"do":"export","to":"/run/a b"}\n');
  expect(writeLine({ type: 'import', from: null })).toBe('{"do":"import","from":null}\n');
  expect(writeLine({ type: 'accept' })).toBe('{"do":"accept"}\n');
  expect(writeLine({ type: 'thaw', reason: 'a\nb' })).toBe('{"do":"thaw","reason":"a\\nb"}\n');
});

describe('what comes as bytes', () => {
  it('is split into lines wherever it is cut', () => {
    const bytes = Buffer.from('{"say":"ä"}\r\n\n{"b":1}\nrest');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const splitter = new LineSplitter(100);
      const lines = [splitter.take(bytes.subarray(0, cut)), splitter.take(bytes.subarray(cut))].flat();
      expect(lines).toEqual(['{"say":"ä"}', '{"b":1}']);
    }
  });

  it('is refused where a line is too long, ended or not', () => {
    expect(new LineSplitter(4).take(Buffer.from('12345\n'))).toBeNull();
    expect(new LineSplitter(4).take(Buffer.from('1234\n'))).toEqual(['1234']);
    const splitter = new LineSplitter(4);
    expect(splitter.take(Buffer.from('123'))).toEqual([]);
    expect(splitter.take(Buffer.from('45'))).toBeNull();
  });
});
