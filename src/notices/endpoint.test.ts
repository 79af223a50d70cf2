import { describe, expect, it } from 'vitest';
import { endpointOf, inText, isHere } from './endpoint.js';

describe('an endpoint', () => {
  it.each([
    ['mail.example.org:587', { host: 'mail.example.org', port: 587 }],
    ['mail', { host: 'mail', port: 25 }],
    ['[::1]:2525', { host: '::1', port: 2525 }],
    ['[fe80::1]', { host: 'fe80::1', port: 25 }],
  ])('is a host and a port: %s', (text, endpoint) => expect(endpointOf(text, 25)).toEqual(endpoint));

  it('is written with brackets where it needs them, and knows whether it is here', () => {
    expect(inText({ host: '::1', port: 25 })).toBe('[::1]:25');
    expect(
      ['localhost', '127.0.0.53', '::1', 'localhost.example.org', '10.0.0.1'].map((host) => isHere({ host, port: 1 })),
    ).toEqual([true, true, true, false, false]);
  });
});
