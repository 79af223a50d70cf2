import { expect, it } from 'vitest';
import { serviceName } from '../core/spec.js';
import { Complaints } from './complaints.js';

const web = serviceName('web');

it('says some of what is wrong, that more is not shown, and later how much that was', () => {
  let now = 0;
  const said: string[] = [];
  const complaints = new Complaints(
    (_level, text) => void said.push(text),
    () => now,
  );
  for (let i = 1; i <= 20; i++) complaints.about(web, `wrong ${i}`);
  expect(said).toEqual([
    'web: wrong 1',
    'web: wrong 2',
    'web: wrong 3',
    'web: wrong 4',
    'web: wrong 5; more like this is not shown for a minute',
  ]);
  now = 60_000;
  complaints.about(web, 'wrong again');
  expect(said.slice(5)).toEqual(['web: 15 more complaints like these were not shown', 'web: wrong again']);
});

it('counts for each service by itself', () => {
  const said: string[] = [];
  const complaints = new Complaints(
    (_level, text) => void said.push(text),
    () => 0,
  );
  for (let i = 0; i < 9; i++) complaints.about(web, 'wrong');
  complaints.about(serviceName('db'), 'wrong');
  expect(said.at(-1)).toBe('db: wrong');
});
