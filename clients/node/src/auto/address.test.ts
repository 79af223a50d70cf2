import { expect, it } from 'vitest';
import { canonicalHost, type ListenAddress, match, wantedAddress } from './address.js';

it('reads the address from every form of listen()', () => {
  const port = { type: 'tcp', host: null, port: 3000 };
  for (const args of [[3000], ['3000'], [3000, 511], [3000, () => {}], [{ port: 3000 }], [{ port: '3000', host: '' }]])
    expect(wantedAddress(args)).toEqual(port);
  for (const args of [[3000, '0.0.0.0'], [3000, '0.0.0.0', 511], [{ port: 3000, host: '0.0.0.0' }]])
    expect(wantedAddress(args)).toEqual({ ...port, host: '0.0.0.0' });
  for (const args of [['/run/web.sock'], [{ path: '/run/web.sock' }]])
    expect(wantedAddress(args)).toEqual({ type: 'unix', path: '/run/web.sock' });
});

it('takes nothing for a port that is free, a descriptor or a handle', () => {
  for (const args of [
    [],
    [0],
    ['0'],
    [undefined],
    [{}],
    [{ port: 0 }],
    [{ fd: 3 }],
    [{ fd: 3, port: 80 }],
    [{ _handle: {} }],
    [() => {}],
  ])
    expect(wantedAddress(args)).toBeNull();
});

const tcp = (host: string | null, port = 80): ListenAddress => ({ type: 'tcp', host, port });

it('knows what is the same, and what stands in the way', () => {
  const cases: readonly [held: string | null, wanted: string | null, ReturnType<typeof match>][] = [
    ['::', null, 'exactly'],
    ['0.0.0.0', '0.0.0.0', 'exactly'],
    // Whoever says nothing gets what the administrator chose.
    ['0.0.0.0', null, 'instead'],
    ['127.0.0.1', null, 'instead'],
    ['::', '0.0.0.0', 'instead'],
    ['::', '::1', 'instead'],
    ['0.0.0.0', '127.0.0.1', 'instead'],
    ['10.0.0.1', '0.0.0.0', 'instead'],
    ['10.0.0.1', '127.0.0.1', 'no'],
    ['0.0.0.0', '::1', 'no'],
    ['127.0.0.1', '::1', 'no'],
    ['127.0.0.1', 'localhost', 'instead'],
    ['::1', 'localhost', 'instead'],
    ['10.0.0.1', 'localhost', 'no'],
    ['10.0.0.1', 'web.example', 'instead'],
  ];
  for (const [held, wanted, outcome] of cases)
    expect([held, wanted, match(tcp(held), tcp(wanted))]).toEqual([held, wanted, outcome]);
  expect(match(tcp(null), tcp(null, 81))).toBe('no');
});

it('compares the paths of Unix sockets from the root', () => {
  const held: ListenAddress = { type: 'unix', path: `${process.cwd()}/web.sock` };
  expect(match(held, { type: 'unix', path: 'web.sock' })).toBe('exactly');
  expect(match(held, { type: 'unix', path: '/web.sock' })).toBe('no');
  expect(match(held, tcp(null))).toBe('no');
});

it('has one form for each host', () => {
  expect(canonicalHost('0:0:0:0:0:0:0:1')).toBe('::1');
  expect(canonicalHost('FE80::1%eth0')).toBe('fe80::1');
  expect(canonicalHost('LocalHost')).toBe('localhost');
});
