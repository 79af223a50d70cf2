import { describe, expect, it } from 'vitest';
import type { Pattern } from '../core/pattern.js';
import { unseenFor } from './look.js';

const pattern = (user: string | null): Pattern => ({
  by: { type: 'name', name: 'd' },
  pidFile: null,
  user,
  count: { min: 1, max: 1 },
  containers: 'no',
});
const own = String(process.geteuid?.());

describe('what could not be seen', () => {
  it('matters to who looks for processes of anybody, not to who looks for our own', () => {
    const hidden = { type: 'hidden', reason: 'hidepid' } as const;
    expect(unseenFor(pattern(null), hidden)).toBe('hidepid');
    expect(unseenFor(pattern('54321'), hidden)).toBe('hidepid');
    expect(unseenFor(pattern(own), hidden)).toBeNull();
  });

  it('for want of descriptors matters to all', () => {
    expect(unseenFor(pattern(own), { type: 'failed', reason: 'EMFILE' })).toBe('EMFILE');
    expect(unseenFor(pattern(null), null)).toBeNull();
  });
});
