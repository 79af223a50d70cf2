import { expect, it } from 'vitest';
import { patienceBy } from './patience.js';

it('what never ends is ended before the SIGKILL of a stop, and never by us where another generation serves', () => {
  expect(patienceBy({})).toEqual({ superseded: { pause: 5_000 }, stop: { within: 8_000 } });
  expect(patienceBy({ UPKEEP_STOP_WITHIN: '60000' }).stop).toEqual({ within: 58_000 });
  expect(patienceBy({ UPKEEP_STOP_WITHIN: '1000' }).stop).toEqual({ within: 800 });
});

it('a stop that waits for ever ends nobody, and a word that is none is that of nobody', () => {
  expect(patienceBy({ UPKEEP_STOP_WITHIN: 'infinity' }).stop).toEqual({});
  expect(patienceBy({ UPKEEP_STOP_WITHIN: 'soon' }).stop).toEqual({ within: 8_000 });
});
