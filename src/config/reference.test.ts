import { expect, it } from 'vitest';
import { configurationReference } from './reference.js';

it('docs/configuration.md is what the tables say (npx vitest run src/config/reference.test.ts -u writes it)', async () => {
  await expect(configurationReference()).toMatchFileSnapshot('../../docs/configuration.md');
});
