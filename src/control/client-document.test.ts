import { expect, it } from 'vitest';
import { isDocument } from './client-document.js';

it('knows a document by its version and its lists', () => {
  expect(isDocument({ version: 1, services: [] }, 'services')).toBe(true);
  expect(isDocument({ version: 2, services: [] }, 'services')).toBe(false);
  expect(isDocument({ version: 1, services: {} }, 'services')).toBe(false);
  expect(isDocument({ version: 1, services: [] }, 'services', 'elsewhere')).toBe(false);
  expect([isDocument('text'), isDocument(null), isDocument(undefined)]).toEqual([false, false, false]);
});
