// tracefs for a test, where the machine has not mounted it: in a mount namespace of the test's own, so that the machine
// stays as it is. Its instances are the machine's all the same.

import { accessSync, constants } from 'node:fs';
import { libc } from '../../src/kernel/syscalls.js';

const TRACING = '/sys/kernel/tracing';
const CLONE_NEWNS = 0x20000;
const MS_REC_PRIVATE = 0x44000;

const unshare = libc.func('int unshare(int flags)');
const mount = libc.func('int mount(str source, str target, str type, ulong flags, void *data)');

/** For the main thread of this process and all that it starts from now on. Says it when it cannot be, for `skipIf`. */
export function mountTracefs(): 'yes' | 'no' {
  if (isWritable()) return 'yes';
  if (unshare(CLONE_NEWNS) === 0 && mount('none', '/', '', MS_REC_PRIVATE, null) === 0)
    mount('tracefs', TRACING, 'tracefs', 0, null);
  if (isWritable()) return 'yes';
  console.warn(`skipped: who sends a signal cannot be tested here, ${TRACING} is not to be had (needs root)`);
  return 'no';
}

/** Words to put before a command that shall find it; a PID namespace of its own is what a container has. */
export const withTracefs = (...namespaces: readonly string[]): readonly string[] => [
  ...['unshare', '--mount', '--propagation', 'private', ...namespaces, 'sh', '-c'],
  `test -d ${TRACING}/instances || mount -t tracefs tracefs ${TRACING} && exec "$@"`,
  'sh',
];

function isWritable(): boolean {
  try {
    accessSync(`${TRACING}/instances`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
