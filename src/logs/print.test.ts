import { describe, expect, it } from 'vitest';
import type { LogLine } from './line.js';
import { LogPrinter, type PrintOptions } from './print.js';

const line = (service: string, text: string, ends: LogLine['ends'] = 'newline'): LogLine => ({
  service,
  time: null,
  start: 0,
  bytes: Buffer.from(text, 'latin1'),
  ends,
});

function print(options: PrintOptions, ...lines: readonly LogLine[]): string {
  const printer = new LogPrinter(options);
  return Buffer.concat(lines.map((one) => printer.print(one))).toString('latin1') + printer.end();
}

describe('printing lines of logs', () => {
  it('gives a pipe the bytes as they were written', () => {
    const options = { to: 'pipe', times: 'no', nameWidth: null } as const;
    expect(print(options, line('a', '\x1b[1m\xff\r'), line('a', 'rest', 'open'))).toBe('\x1b[1m\xff\r\nrest');
  });

  it('puts a line that comes in pieces together again, and breaks it when another service speaks', () => {
    const options = { to: 'pipe', times: 'no', nameWidth: 3 } as const;
    expect(
      print(
        options,
        line('a', 'x', 'more'),
        line('a', 'y', 'open'),
        line('a', 'z'),
        line('a', 'p', 'open'),
        line('bcd', 'q'),
      ),
    ).toBe('a   | xyz\na   | p\nbcd | q\n');
  });

  it('ends the last line on a terminal', () => {
    expect(print({ to: 'terminal', times: 'no', nameWidth: null }, line('a', 'open', 'open'))).toBe('open\n');
  });

  it('puts the local time before a line', () => {
    const printer = new LogPrinter({ to: 'pipe', times: 'yes', nameWidth: null });
    const time = new Date(2026, 10, 20, 10, 0, 0, 7).getTime();
    expect(String(printer.print({ ...line('a', 'x'), time }))).toBe('2026-11-20 10:00:00.007 | x\n');
  });
});
