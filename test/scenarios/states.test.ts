import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { statesDocument } from '../support/states-document.js';

const path = new URL('../../docs/states.md', import.meta.url);

it('docs/states.md says what the machine does', () => {
  const generated = statesDocument();
  if (process.env.UPDATE_DOCS === '1') writeFileSync(path, generated);
  expect(readFileSync(path, 'utf8')).toBe(generated);
});
