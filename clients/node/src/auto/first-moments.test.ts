import { Server } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { firstMoments } from './first-moments.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const [web, admin] = [new Server(), new Server()];

function watched(held: number): ReturnType<typeof firstMoments> & { readonly said: () => number } {
  let said = 0;
  return { ...firstMoments(held, () => said++), said: () => said };
}

it('is ready when all held sockets are taken and listen', () => {
  const moments = watched(1);
  moments.began(web);
  moments.taken();
  vi.advanceTimersByTime(60_000);
  expect(moments.said()).toBe(0);
  moments.succeeded(web);
  vi.advanceTimersByTime(0);
  expect(moments.said()).toBe(1);
});

it('waits a moment for others where nothing says how many there will be, and for all of them', () => {
  const moments = watched(0);
  moments.began(web);
  moments.succeeded(web);
  vi.advanceTimersByTime(100);
  moments.began(admin);
  vi.advanceTimersByTime(60_000);
  expect(moments.said()).toBe(0);
  moments.succeeded(admin);
  vi.advanceTimersByTime(60_000);
  expect(moments.said()).toBe(1);
});

it('is not ready by a server beside the held sockets', () => {
  const moments = watched(2);
  moments.began(admin);
  moments.succeeded(admin);
  vi.advanceTimersByTime(60_000);
  expect(moments.said()).toBe(0);
  moments.began(web);
  moments.taken();
  moments.succeeded(web);
  vi.advanceTimersByTime(60_000);
  expect(moments.said()).toBe(1);
});

it('is not ready where listen() failed, until it succeeds with another address', () => {
  const moments = watched(0);
  moments.began(web);
  moments.failed(web);
  vi.advanceTimersByTime(60_000);
  expect(moments.said()).toBe(0);
  moments.began(web);
  moments.succeeded(web);
  vi.advanceTimersByTime(60_000);
  expect(moments.said()).toBe(1);
});
