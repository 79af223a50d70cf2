import { expect, it } from 'vitest';
import { turns } from './turns.js';

const { signal } = new AbortController();

it('so many have a turn at once, and the others in the order in which they came', async () => {
  const take = turns(2);
  const had: string[] = [];
  const waits: string[] = [];
  const want = async (name: string): Promise<() => void> => {
    const giveBack = await take(signal, () => waits.push(name));
    had.push(name);
    return giveBack;
  };
  const [a, , c, d] = [want('a'), want('b'), want('c'), want('d')];
  (await a)();
  await c;
  expect([had, waits]).toEqual([
    ['a', 'b', 'c'],
    ['c', 'd'],
  ]);
  (await c)();
  await d;
  expect(had).toEqual(['a', 'b', 'c', 'd']);
});

it('whoever waits no longer takes nobody’s turn', async () => {
  const take = turns(1);
  const first = await take(signal, () => undefined);
  const impatient = new AbortController();
  const given = take(impatient.signal, () => undefined);
  const last = take(signal, () => undefined);
  impatient.abort(new Error('too late'));
  await expect(given).rejects.toThrow('too late');
  first();
  (await last)();
  await expect(take(impatient.signal, () => undefined)).rejects.toThrow('too late');
});
