import { expect, it } from 'vitest';
import { bytesOfIpv6, kernelAddresses } from './socket-address.js';

it.each([
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['fe80::1', 'fe800000000000000000000000000001'],
  ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
  ['2001:db8::', '20010db8000000000000000000000000'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
])('%s is %s', (text, hex) => {
  expect(bytesOfIpv6(text).toString('hex')).toBe(hex);
});

const hexes = (host: string | null): readonly string[] =>
  kernelAddresses({ type: 'tcp', host, port: 8080 }).map(({ bytes }) => bytes.toString('hex'));

it('are structures of the kernel', () => {
  expect(hexes('127.0.0.1')).toEqual(['02001f907f0000010000000000000000']);
  expect(hexes('::1')).toEqual([`0a001f9000000000${'0'.repeat(31)}100000000`]);
  expect(hexes('fe80::1%7')[0]).toMatch(/07000000$/);
});

it('without a host are one of IPv6 that takes both, or one of IPv4 where there is none', () => {
  expect(kernelAddresses({ type: 'udp', host: null, port: 53 }).map(({ family, both }) => [family, both])).toEqual([
    [10, 'yes'],
    [2, 'no'],
  ]);
});

it('are none for a name', () => {
  expect(hexes('example.org')).toEqual([]);
  expect(hexes('localhost')).toHaveLength(2);
});
