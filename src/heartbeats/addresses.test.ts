import { lookup } from 'node:dns/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { addressesOf } from './addresses.js';

// No name server here hangs, or is slow, when it is told to.
vi.mock('node:dns/promises', () => ({ lookup: vi.fn() }));
const resolver = vi.mocked(lookup) as unknown as ReturnType<typeof vi.fn>;

beforeEach(() => resolver.mockReset());

const askFor = (name: string, signal?: AbortSignal) => addressesOf(name, { ...anAsking(), ...(signal && { signal }) });

describe('a name', () => {
  it('that hangs takes one thread of the pool, however often it is asked for', async () => {
    let answer: (found: readonly { readonly address: string }[]) => void = () => undefined;
    resolver.mockReturnValue(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const impatient = new AbortController();
    const first = askFor('slow.example', impatient.signal);
    impatient.abort(new Error('its time is over'));
    await expect(first).rejects.toThrow('its time is over');
    const second = askFor('slow.example');
    expect(resolver).toHaveBeenCalledTimes(1);
    answer([{ address: '192.0.2.1' }, { address: '192.0.2.1' }]);
    expect(await second).toEqual(['192.0.2.1']);
  });

  it('is looked up anew for the next question', async () => {
    resolver.mockResolvedValueOnce([{ address: '192.0.2.1' }]);
    resolver.mockRejectedValueOnce(Object.assign(new Error('queryA'), { code: 'ENOTFOUND' }));
    expect(await askFor('moves.example')).toEqual(['192.0.2.1']);
    await expect(askFor('moves.example')).rejects.toThrow('moves.example does not resolve');
  });

  it('needs nobody where it is an address, or localhost', async () => {
    expect(await askFor('::1')).toEqual(['::1']);
    expect(await askFor('LocalHost')).toEqual(['::1', '127.0.0.1']);
    expect(resolver).not.toHaveBeenCalled();
  });
});
