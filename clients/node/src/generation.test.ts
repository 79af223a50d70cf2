import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Generation } from './generation.js';

function stage(): { generation: Generation; out: PassThrough; exits: number[] } {
  const exits: number[] = [];
  const generation = new Generation({
    service: 'web',
    generation: () => 1,
    stateLimit: () => 10,
    exit: (code) => exits.push(code),
  });
  return { generation, out: new PassThrough().on('error', () => {}), exits };
}

it('what was sent and came to nothing is undone once', async () => {
  const { generation, out } = stage();
  const undone: string[] = [];
  generation.offer({ schema: 1, send: (writer) => writer.write('x'), undo: (reason) => void undone.push(reason) });
  await generation.thaw('nothing was sent yet');
  expect(await generation.send(out)).toBe(1);
  await generation.thaw('refused');
  await generation.thaw('again');
  expect(undone).toEqual(['refused']);
});

it('a send that fails is undone, whatever it failed of (5)', async () => {
  const { generation, out } = stage();
  const undone: string[] = [];
  const undo = (reason: string): void => void undone.push(reason);
  generation.offer({ schema: 1, undo, send: () => Promise.reject(new Error('database is locked')) });
  await expect(generation.send(out)).rejects.toThrow(/locked/);
  generation.offer({ schema: 1, undo, send: (writer) => writer.write('more than ten bytes') });
  await expect(generation.send(out)).rejects.toThrow(/limit of 10/);
  out.destroy();
  await expect(generation.send(out)).rejects.toThrow();
  expect(undone).toHaveLength(3);
});

it('one state at a time is on its way', async () => {
  const { generation, out } = stage();
  generation.offer({ schema: 1, send: (writer) => writer.write('x') });
  await generation.send(out);
  await expect(generation.send(out)).rejects.toThrow(/on its way already/);
});

it('all that is to be finished is finished before the end, once, and also where one of it fails', async () => {
  const { generation, exits } = stage();
  const done: string[] = [];
  generation.onDrain(() => Promise.reject(new Error('no')));
  generation.onDrain(async () => void done.push('a'));
  await Promise.all([generation.drain(0, 'stop'), generation.drain(1, 'superseded')]);
  expect([done, exits]).toEqual([['a'], [0]]);
});
