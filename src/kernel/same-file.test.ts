import { closeSync, constants, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { isSameFile, looksSame } from './same-file.js';
import { duplicate, eventfd } from './syscalls.js';

const opened: number[] = [];
const opening = (fd: number): number => {
  opened.push(fd);
  return fd;
};
const open = (path: string, flags = constants.O_RDONLY): number => opening(openSync(path, flags));
afterEach(() => {
  for (const fd of opened.splice(0)) closeSync(fd);
});

describe('two descriptors', () => {
  it('are the same open file when one is a duplicate of the other, whoever asks', () => {
    const one = open(import.meta.filename);
    const other = opening(duplicate(one));
    expect([isSameFile(one, other), looksSame(one, other)]).toEqual([true, true]);
  });

  it('are two when a file was opened twice, where the kernel says so; without its word they are taken for one', () => {
    const [one, other] = [open(import.meta.filename), open(import.meta.filename)];
    expect([isSameFile(one, other), looksSame(one, other)]).toEqual([false, true]);
  });

  it('are two when they are opened for other things, or are of devices', () => {
    const [one, other] = [open(import.meta.filename), open(import.meta.filename, constants.O_APPEND)];
    expect([isSameFile(one, other), looksSame(one, other)]).toEqual([false, false]);
    const [null1, null2] = [open('/dev/null'), open('/dev/null')];
    expect([isSameFile(null1, null2), looksSame(null1, null2)]).toEqual([false, false]);
  });

  it('are two although the kernel has one inode for all of their kind', () => {
    const [one, other] = [opening(eventfd()), opening(eventfd())];
    expect(isSameFile(one, other)).toBe(false);
  });
});
