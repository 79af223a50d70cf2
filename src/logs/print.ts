// Lines of logs as `upkeep logs` puts them out: safe on a terminal, byte for byte into a pipe, with the time and, of
// several services, the name before each.

import { forTerminal } from './display.js';
import type { LogLine } from './line.js';

export interface PrintOptions {
  readonly to: 'terminal' | 'pipe';
  readonly times: 'yes' | 'no';
  /** Names are padded to this width; null: no names. */
  readonly nameWidth: number | null;
}

export class LogPrinter {
  readonly #options: PrintOptions;
  /** The service whose line stands there without its newline. */
  #open: string | null = null;

  constructor(options: PrintOptions) {
    this.#options = options;
  }

  /** What is to be written for this line. A line that comes in pieces is put together again. */
  print(line: LogLine): Buffer {
    const parts: Buffer[] = [];
    const goesOn = this.#open === line.service;
    if (this.#open !== null && !goesOn) parts.push(Buffer.from('\n'));
    if (!goesOn) parts.push(Buffer.from(this.#prefix(line)));
    parts.push(this.#options.to === 'pipe' ? line.bytes : Buffer.from(forTerminal(line.bytes)));
    if (line.ends === 'newline') parts.push(Buffer.from('\n'));
    this.#open = line.ends === 'newline' ? null : line.service;
    return Buffer.concat(parts);
  }

  /** What is to be written at the end: the newline that the last line lacks, on a terminal. */
  end(): string {
    return this.#open !== null && this.#options.to === 'terminal' ? '\n' : '';
  }

  #prefix({ service, time }: LogLine): string {
    const { times, nameWidth } = this.#options;
    const name = nameWidth === null ? '' : `${service.padEnd(nameWidth)} `;
    if (times === 'no') return nameWidth === null ? '' : `${name}| `;
    return `${time === null ? ' '.repeat(TIME_WIDTH) : localTime(time)} ${name}| `;
  }
}

const TIME_WIDTH = '2026-11-20 10:00:00.000'.length;

/** `2026-11-20 10:00:00.000` in the local zone. */
function localTime(time: number): string {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, TIME_WIDTH).replace('T', ' ');
}
