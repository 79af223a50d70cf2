// Lines and JSON onto a stream, each in one write, so that what several programs print does not mix within a line.

import type { Output } from './terminal.js';

export const printLines = (output: Output, lines: readonly string[]): Promise<'open' | 'closed'> =>
  lines.length === 0 ? Promise.resolve('open') : output.write(`${lines.join('\n')}\n`);

export const printJson = (output: Output, value: unknown): Promise<'open' | 'closed'> =>
  output.write(`${JSON.stringify(value, null, 2)}\n`);

/** What the keeper or the configuration warns of. */
export const warn = (output: Output, sentences: readonly string[]): Promise<'open' | 'closed'> =>
  printLines(
    output,
    sentences.map((sentence) => `upkeep: ${sentence}`),
  );
