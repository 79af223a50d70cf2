import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPump, findUvPoll, type Pump } from './pump.js';
import { close, EPOLLET, EPOLLIN, pipe, read, write } from './syscalls.js';

const WAYS = [
  ['on the loop', 'yes'],
  ['on the pool', 'no'],
] as const;

describe.each(WAYS)('the pump that waits %s', (_, uvPoll) => {
  let pump: Pump;
  let told: string[];
  let pipes: (readonly [number, number])[];
  beforeEach(() => {
    told = [];
    pipes = [];
    pump = createPump({ uvPoll }, (problem) => void told.push(problem));
  });
  afterEach(() => {
    pump.close();
    for (const [r, w] of pipes) for (const fd of [r, w]) close(fd);
  });

  const newPipe = (): readonly [number, number] => {
    const ends = pipe();
    pipes.push(ends);
    return ends;
  };
  const byte = Buffer.from('x');

  async function until(holds: () => boolean): Promise<void> {
    const end = Date.now() + 20_000;
    while (!holds()) {
      if (Date.now() > end) throw new Error('not within 20 s');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it.skipIf(uvPoll === 'yes' && findUvPoll() === null)('calls back for what is ready, as often as it is', async () => {
    const [r, w] = newPipe();
    let got = 0;
    pump.add(r, EPOLLIN, (events) => {
      expect(events & EPOLLIN).toBe(EPOLLIN);
      got += read(r, Buffer.alloc(1));
    });
    for (let i = 1; i <= 5; i++) {
      write(w, byte);
      await until(() => got === i);
    }
  });

  it('calls back for an edge once, though nobody reads', async () => {
    const [r, w] = newPipe();
    const [r2, w2] = newPipe();
    let edges = 0;
    let others = 0;
    pump.add(r, EPOLLIN | EPOLLET, () => {
      edges += 1;
    });
    pump.add(r2, EPOLLIN, () => {
      others += read(r2, Buffer.alloc(1));
    });
    write(w, byte);
    await until(() => edges === 1);
    for (let i = 1; i <= 3; i++) {
      write(w2, byte);
      await until(() => others === i);
    }
    expect(edges).toBe(1);
  });

  it('does not call back for one that another callback of the same turn has removed', async () => {
    const ends = Array.from({ length: 20 }, newPipe);
    const called: number[] = [];
    for (const [r] of ends)
      pump.add(r, EPOLLIN, () => {
        called.push(r);
        for (const [other] of ends) pump.remove(other);
      });
    for (const [, w] of ends) write(w, byte);
    await until(() => called.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(called).toHaveLength(1);
  });

  it('tells a number that was closed and given out again apart from what it was', async () => {
    const [r, w] = pipe();
    const called: string[] = [];
    pump.add(r, EPOLLIN, () => void called.push('old'));
    pump.remove(r);
    close(r);
    close(w);
    const [r2, w2] = newPipe();
    expect(r2).toBe(r);
    pump.add(r2, EPOLLIN, () => {
      called.push('new');
      read(r2, Buffer.alloc(1));
    });
    write(w2, byte);
    await until(() => called.length > 0);
    expect(called).toEqual(['new']);
  });

  it('serves hundreds at once, more than a turn takes', async () => {
    const ends = Array.from({ length: 400 }, newPipe);
    let got = 0;
    for (const [r] of ends)
      pump.add(r, EPOLLIN, () => {
        got += read(r, Buffer.alloc(1));
      });
    for (const [, w] of ends) write(w, byte);
    await until(() => got === ends.length);
  });

  it('reports what a callback throws, and goes on with the others', async () => {
    const [r, w] = newPipe();
    const [r2, w2] = newPipe();
    let got = 0;
    pump.add(r, EPOLLIN, () => {
      read(r, Buffer.alloc(1));
      throw new Error('in the callback');
    });
    pump.add(r2, EPOLLIN, () => {
      got += read(r2, Buffer.alloc(1));
    });
    write(w, byte);
    write(w2, byte);
    await until(() => got === 1 && told.length === 1);
  });

  it('is silent once it is closed, also when it is closed by a callback', async () => {
    const [r, w] = newPipe();
    let called = 0;
    pump.add(r, EPOLLIN, () => {
      called += 1;
      pump.close();
    });
    write(w, byte);
    await until(() => called > 0);
    write(w, byte);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(called).toBe(1);
    pump = createPump({ uvPoll }, () => {});
  });
});
