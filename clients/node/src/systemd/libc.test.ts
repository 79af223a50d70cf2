import { expect, it } from 'vitest';
import { socketAddress } from './libc.js';

it('an address is a path, or a name in the abstract namespace (A16)', () => {
  expect(socketAddress('/run/n')?.subarray(2).toString()).toBe('/run/n\0');
  expect(socketAddress('@name')?.subarray(2).toString()).toBe('\0name');
  for (const text of ['', '@', 'relative', 'vsock:2:1', `/${'x'.repeat(108)}`]) expect(socketAddress(text)).toBeNull();
});
