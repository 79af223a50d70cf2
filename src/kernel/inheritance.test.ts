import { closeSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bequeath, takeInheritance } from './inheritance.js';
import { fcntl, survivesExec } from './syscalls.js';

const F_GETFD = 1;

it('comes to the next program by name, and is kept from everything that it starts', () => {
  const [a, b] = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  survivesExec(a);
  survivesExec(b);
  const environment = bequeath({ PATH: '/bin' }, { lock: a, control: b });
  expect(takeInheritance(environment)).toEqual(
    new Map([
      ['lock', a],
      ['control', b],
    ]),
  );
  expect(environment).toEqual({ PATH: '/bin' });
  expect([fcntl(a, F_GETFD, 0), fcntl(b, F_GETFD, 0)]).toEqual([1, 1]);
  closeSync(a);
  closeSync(b);
});

it('is nothing where somebody wrote something else, or names what is not open', () => {
  for (const text of ['', 'lock', 'lock=', 'lock=x', 'lock=-1', 'lock=1', 'lock=999999', 'lock=99999999999'])
    expect(takeInheritance({ UPKEEP_INHERIT: text }).size).toBe(0);
});
