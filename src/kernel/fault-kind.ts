// The signal with which the kernel answers a fault, and its si_code → a word for people. Pure. Only what the kernel
// itself sent is a fault: the same signal from kill(2) is somebody's wish.

import type { SignalName } from '../core/process.js';

/** include/uapi/asm-generic/siginfo.h; 128 is SI_KERNEL, which says no more. */
const KINDS: Readonly<Partial<Record<SignalName, Readonly<Record<number, string>> & { readonly other: string }>>> = {
  SIGILL: { other: 'invalid opcode' },
  SIGTRAP: { other: 'breakpoint' },
  SIGBUS: {
    1: 'misaligned address',
    2: 'no memory behind the address',
    4: 'broken memory',
    5: 'broken memory',
    other: 'bus error',
  },
  SIGFPE: { 1: 'divide error', other: 'floating point exception' },
  SIGSEGV: { 1: 'segfault', 2: 'segfault', 128: 'general protection fault', other: 'segfault' },
  SIGSYS: { other: 'forbidden system call' },
};

/** May the kernel have sent this signal for a fault? */
export const isFaultSignal = (signal: SignalName): boolean => signal in KINDS;

/** Null: this is no fault. */
export function faultKind(signal: SignalName, code: number): string | null {
  const kinds = KINDS[signal];
  return kinds === undefined || code <= 0 ? null : (kinds[code] ?? kinds.other);
}
