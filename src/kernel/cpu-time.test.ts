import { expect, test } from 'vitest';
import { type CpuLook, cpuBetween } from './cpu-time.js';

test('The group’s count is taken where both looks have one', () => {
  expect(cpuBetween(look({ 1: [100, 0] }, 5000), look({ 1: [100, 0] }, 5300))).toBe(300);
  expect(cpuBetween(look({ 1: [100, 0] }), look({ 1: [110, 0] }, 5300))).toBe(100);
});

test('A process that has come since counts with its whole life', () => {
  expect(cpuBetween(look({ 1: [100, 0] }), look({ 1: [110, 0], 2: [5, 0] }))).toBe(150);
});

test('A child that has ended counts with what it used since, by the count of its parent', () => {
  // It had used 30 ticks at the first look and 40 when it ended.
  expect(cpuBetween(look({ 1: [100, 0], 2: [30, 0] }), look({ 1: [110, 40] }))).toBe(200);
});

test('A child that nobody has waited for takes nothing from the others', () => {
  expect(cpuBetween(look({ 1: [100, 0], 2: [30, 0] }), look({ 1: [110, 0] }))).toBe(100);
});

test('Another process with an old number is a new one', () => {
  const reborn: CpuLook = { group: null, members: new Map([[2, { startTicks: 7, own: 4, all: 4 }]]) };
  expect(cpuBetween(look({ 2: [30, 0] }), reborn)).toBe(40);
});

/** Members by pid: [their own ticks, those of their children]. */
const look = (members: Readonly<Record<number, readonly [number, number]>>, group: number | null = null): CpuLook => ({
  group,
  members: new Map(
    Object.entries(members).map(([pid, [own, children]]) => [Number(pid), { startTicks: 1, own, all: own + children }]),
  ),
});
