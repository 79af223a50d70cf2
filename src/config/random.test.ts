import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadText } from '../../test/support/configuration.js';
import { allKeys } from './help.js';

const names = [...new Set(allKeys().flatMap(({ path }) => path.split('.')))];

const WORDS = [
  'x',
  '5s',
  '10 in 5m',
  'none',
  'null',
  '022',
  'SIGTERM',
  'a|b',
  '/run/x',
  'web*',
  '{',
  '*',
  '&x',
  'alive',
  'any',
  '~',
  '',
];

const scalar = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.string({ maxLength: 8 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom(...names), fc.constantFrom('a', 'web', '__proto__', 'constructor')),
      tie('tree'),
      {
        maxKeys: 6,
      },
    ),
  ),
}));

/** Right in the large, anything in the small. */
const configuration = fc.record(
  {
    classes: tree,
    defaults: fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 4 }),
    templates: fc.dictionary(fc.constantFrom('a', 'b'), fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 4 })),
    notices: tree,
    keeper: tree,
    services: fc.dictionary(
      fc.constantFrom('web', 'db', 'x'),
      fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 6 }),
    ),
  },
  { requiredKeys: [] },
);

function isAnswer(text: string): void {
  const loaded = loadText(text, { want: 'settings' });
  if (loaded.type === 'ok') expect(JSON.parse(JSON.stringify(loaded.config))).toEqual(loaded.config);
  else {
    expect(loaded.problems.length).toBeGreaterThan(0);
    for (const problem of loaded.problems) expect(problem.message).toMatch(/^\S.*[^.]$/s);
  }
}

describe('loading', () => {
  it('answers any text without throwing', () => {
    const yamlish = fc.string({ unit: fc.constantFrom(...'ab:-{}[],&*!|>\'"%@`#? \n\t022'), maxLength: 60 });
    fc.assert(fc.property(fc.oneof(yamlish, fc.string({ unit: 'binary' })), isAnswer), { numRuns: 1000 });
  });

  it('answers any tree of YAML without throwing, with sentences that have no full stop', () => {
    fc.assert(
      fc.property(fc.oneof(tree, configuration), (value) => isAnswer(stringify(value))),
      { numRuns: 1000 },
    );
  });
});
