import { expect, it } from 'vitest';
import { readKernelLog } from './kernel-log.js';
import { isMachineNamespace } from './pid-era.js';

it('says that a log cannot be read where it cannot', () => {
  expect(readKernelLog('/nonexistent/kmsg')).toBeNull();
});

it('names other pids than ours in a namespace', () => {
  expect(isMachineNamespace('/nonexistent')).toBe(false);
});
