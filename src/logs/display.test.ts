import { describe, expect, it } from 'vitest';
import { forTerminal } from './display.js';

describe('a line for a terminal', () => {
  it('shows text and tabs as they are', () => {
    expect(forTerminal(Buffer.from('größe\t日本 ok'))).toBe('größe\t日本 ok');
  });

  it('takes escape sequences out and shows other control characters by name', () => {
    expect(forTerminal(Buffer.from('\x1b[31mred\x1b[0m \x1b]0;title\x07 \x07bell\b'))).toBe('red  ^Gbell^H');
    expect(forTerminal(Buffer.from('\x1b'))).not.toContain('\x1b');
  });

  it('replaces what is no UTF-8, and what would turn the text around (monitors 38)', () => {
    expect(forTerminal(Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x9b]))).toBe('a\ufffd\ufffdb\ufffd');
    expect(forTerminal(Buffer.from('a\u202eb'))).toBe('a\ufffdb');
  });

  it('cuts a line of a megabyte and says how long it is (supervisors 37)', () => {
    const shown = forTerminal(Buffer.alloc(1_048_576, 'x'));
    expect(shown.length).toBeLessThan(5_000);
    expect(shown).toMatch(/^x+… \(1048576 bytes in all\)$/);
  });
});
