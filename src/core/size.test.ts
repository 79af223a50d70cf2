import { expect, it } from 'vitest';
import { sizeInWords } from './size.js';

it.each([
  [0, '0 B'],
  [512, '512 B'],
  [1536, '1.5 KiB'],
  [64 * 2 ** 20, '64 MiB'],
  [9.96 * 2 ** 30, '10 GiB'],
  [5000 * 2 ** 40, '5000 TiB'],
])('%s bytes are %s', (bytes, text) => {
  expect(sizeInWords(bytes)).toBe(text);
});
