import { describe, expect, it } from 'vitest';
import { Troubles } from './troubles.js';

const hour = 3_600_000;

describe('a trouble of the keeper', () => {
  it('is news once an hour, whatever numbers are in it', () => {
    let now = 0;
    const troubles = new Troubles(() => now);
    expect(troubles.isNews('12 jobs were dropped')).toBe(true);
    now = hour - 1;
    expect(troubles.isNews('13 jobs were dropped')).toBe(false);
    expect(troubles.isNews('the journal cannot be written')).toBe(true);
    now = hour;
    expect(troubles.isNews('14 jobs were dropped')).toBe(true);
  });

  it('is not news when there are more of them than anybody reads', () => {
    const troubles = new Troubles(() => 0);
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    const news = [...letters].filter((letter) => troubles.isNews(`${letter} failed`));
    expect(news).toHaveLength(20);
  });
});
