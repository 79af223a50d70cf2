import { expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import type { Configuration } from '../config/load.js';
import { asPid } from '../core/process.js';
import { newService } from '../core/state.js';
import { instant } from '../core/time.js';
import { servicesOf } from './memory.js';

it('a generation that is newer than its record is taken up, and what is left of an older one is not held against it', () => {
  const spec = supervised();
  const {
    spec: _spec,
    next: _next,
    ...was
  } = {
    ...newService(spec, instant(0)),
    generation: 3,
    rest: { pid: asPid(99), startTicks: 1, inode: null },
  };
  const snapshot = { name: 'web', spec, next: null, begun: 1, service: was };
  const [first] = servicesOf(
    { specs: [spec] } as unknown as Configuration,
    { found: { snapshots: new Map([['web', snapshot]]) } as never, words: new Map() },
    instant(1000),
    new Map([['web', 5]]),
  );
  expect(first?.as).toMatchObject({ generation: 5, rest: null, state: { name: 'starting', phase: 'launching' } });
});
