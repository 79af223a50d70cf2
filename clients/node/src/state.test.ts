import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { StateError } from './offer.js';
import { type ReadRules, readState } from './state-reader.js';
import { type StateSink, stateSink } from './state-writer.js';

const header = { schema: 2, service: 'web', generation: 3 };
const anything: ReadRules = { newest: null, limit: 1 << 30, onBroken: () => {} };

async function written(fill: (sink: StateSink) => Promise<unknown>, limit = 1 << 30): Promise<Buffer> {
  const parts: Buffer[] = [];
  const out = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(part);
      done();
    },
  });
  const sink = await stateSink(out, header, limit);
  await fill(sink);
  await sink.end();
  return Buffer.concat(parts);
}

/** In pieces that have nothing to do with chunks. */
function arriving(bytes: Buffer, size = 7): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces);
}

const read = async (bytes: Buffer, limits = anything): Promise<Buffer> =>
  (await readState(arriving(bytes), limits)).read();

describe('a state', () => {
  it('arrives as it was sent', async () => {
    const state = await readState(arriving(await written((sink) => sink.json({ n: 1 }))), anything);
    expect(state).toMatchObject({ schema: 2, generation: 3 });
    expect(await state.json()).toEqual({ n: 1 });
    // Asked again, the same (E2).
    expect(await state.json()).toEqual({ n: 1 });
    await state.verified();
  });

  it('may be empty, and longer than one chunk', async () => {
    expect(await read(await written(async () => {}))).toHaveLength(0);
    const long = Buffer.alloc(3 * 1024 * 1024 + 5, 'upkeep');
    const bytes = await written((sink) => sink.write(long));
    expect((await (await readState(arriving(bytes, 65_536), anything)).read()).equals(long)).toBe(true);
  });

  it('keeps the order of writes that nobody waited for', async () => {
    const bytes = await written(async (sink) => {
      void sink.write('a');
      void sink.write('b');
      await sink.write('c');
    });
    expect((await read(bytes)).toString()).toBe('abc');
  });

  it('is told as a stream too, which fails at its end where it was not whole', async () => {
    const bytes = await written((sink) => sink.write('abc'));
    const state = await readState(arriving(bytes), anything);
    const parts: string[] = [];
    for await (const part of state.stream()) parts.push(part.toString());
    expect(parts).toEqual(['abc']);
    await state.verified();
    await expect(state.read()).rejects.toThrow(/as a stream already/);

    const left = await readState(arriving(bytes), anything);
    for await (const _ of left.stream()) break;
    await expect(left.verified()).rejects.toThrow(/not read to its end/);
  });

  it('is none when it is cut off at any byte (7)', async () => {
    const bytes = await written((sink) => sink.write('some state'));
    const heard: string[] = [];
    const rules = { ...anything, onBroken: (error: StateError) => void heard.push(error.message) };
    for (let cut = 0; cut < bytes.length; cut++)
      await expect(read(bytes.subarray(0, cut), rules), `cut at ${cut}`).rejects.toThrow(StateError);
    expect(heard).toHaveLength(bytes.length);
  });

  it('is none when any byte of it is another (7)', async () => {
    const bytes = await written((sink) => sink.write('some state'));
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      await expect(read(damaged), `byte ${at}`).rejects.toThrow(StateError);
    }
  });

  it('of a newer schema than is known is refused before it is read (33)', async () => {
    const bytes = await written((sink) => sink.write('x'));
    await expect(readState(arriving(bytes), { ...anything, newest: 1 })).rejects.toThrow(
      /schema 2; .* knows 1 at most/,
    );
    await expect(read(bytes, { ...anything, newest: 2 })).resolves.toHaveLength(1);
  });

  it('over the limit is neither sent nor taken', async () => {
    await expect(written((sink) => sink.write('12345'), 4)).rejects.toThrow(/over the limit of 4 bytes/);
    const bytes = await written((sink) => sink.write('12345'));
    await expect(read(bytes, { ...anything, limit: 4 })).rejects.toThrow(/over the limit of 4 bytes/);
  });

  it('whose reader is gone fails where it is written', async () => {
    const out = new Writable({ write: (_part, _encoding, done) => done(new Error('EPIPE')) }).on('error', () => {});
    await expect(stateSink(out, header, 10)).rejects.toThrow(/EPIPE/);
  });
});
