import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planLimits } from './limits.js';

const CAP_SYS_RESOURCE = 24n;
const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
const mayRaise = ((BigInt(`0x${capabilities}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
const NOFILE = 7;
const CORE = 4;

describe('a plan for limits', () => {
  it('gives back the descriptors that Node took, without a hop', () => {
    const plan = planLimits({}, 20);
    if (plan.type === 'refused') throw new Error(plan.detail);
    expect(plan.hop).toEqual([]);
    expect([...plan.worn, ...plan.after].every(([resource]) => resource === NOFILE)).toBe(true);
  });

  it('lets the keeper wear what cannot hurt it', () => {
    const plan = planLimits({ core: { soft: 0, hard: 0 } }, 20);
    if (plan.type === 'refused') throw new Error(plan.detail);
    // Who could not raise the hard limit again must not lower its own.
    expect(plan.hop).toEqual(mayRaise ? [] : ['--core=0:0']);
    expect(plan.worn.filter(([resource]) => resource === CORE)).toEqual(mayRaise ? [[CORE, { soft: 0, hard: 0 }]] : []);
  });

  it('takes a hop for what would end the keeper, or a thread of it', () => {
    const plan = planLimits(
      { as: { soft: 1 << 30, hard: null }, cpu: { soft: 1, hard: 2 }, nproc: { soft: 9, hard: 9 } },
      20,
    );
    expect(plan).toMatchObject({ hop: ['--as=1073741824:unlimited', '--cpu=1:2', '--nproc=9:9'] });
  });

  it('does not wear fewer descriptors than the keeper has open', () => {
    expect(planLimits({ nofile: { soft: 100, hard: 200 } }, 90)).toMatchObject({ hop: ['--nofile=100:200'] });
    const plan = planLimits({}, 1_000_000);
    expect(plan).toMatchObject({ worn: [], hop: [] });
  });

  it('refuses a soft value above the hard one', () => {
    expect(planLimits({ nofile: { soft: 200, hard: 100 } }, 20)).toEqual({
      type: 'refused',
      errno: 'EINVAL',
      detail: expect.stringContaining('limits.nofile'),
    });
  });
});
