// Writes lines of logs: with time and name, safe on a terminal, byte for byte in a pipe. Pieces of one long line are
// put together again.

import { iso } from '../core/status.js';
import { type Colour, painter } from './paint.js';
import type { LogLine } from './ports.js';
import type { Output } from './terminal.js';
import { padTo, widthOf } from './text-width.js';
import { stampText } from './time-text.js';

export interface LineForm {
  readonly output: Output;
  readonly services: readonly string[];
  /** `raw`: nothing but the bytes. `json`: an object for each line or piece of one. */
  readonly form: 'raw' | 'timed' | 'json';
  readonly forTerminal: (line: Uint8Array) => string;
}

const COLOURS: readonly Colour[] = ['cyan', 'yellow', 'green', 'magenta', 'blue'];
const NO_TIME = '-'.padEnd(19);

/** A function that writes one line, and resolves when more may come. */
export function lineWriter({
  output,
  services,
  form,
  forTerminal,
}: LineForm): (line: LogLine) => Promise<'open' | 'closed'> {
  const paint = painter(output.colours);
  const width = Math.max(0, ...services.map(widthOf));
  const colours = new Map(services.map((service, index) => [service, COLOURS[index % COLOURS.length] ?? 'cyan']));
  const isTerminal = output.columns() !== null;
  /** The service whose line goes on in the next piece. */
  let unfinished: string | null = null;

  const prefixOf = ({ service, time }: LogLine): string => {
    const stamp = paint('dim', time === null ? NO_TIME : stampText(time));
    const name = services.length > 1 ? `${paint(colours.get(service) ?? null, padTo(service, width))}  ` : '';
    return `${stamp}  ${name}`;
  };

  return (line) => {
    if (form === 'json') return output.write(`${jsonOf(line)}\n`);
    const { service, bytes, ends } = line;
    const goesOn = unfinished === service;
    const begin = goesOn ? '' : `${unfinished === null ? '' : '\n'}${form === 'raw' ? '' : prefixOf(line)}`;
    // In a pipe a last line without a newline stays without one where bytes are asked for.
    const isOpen = ends === 'more' || (ends === 'open' && form === 'raw' && !isTerminal);
    unfinished = isOpen ? service : null;
    const end = isOpen ? '' : '\n';
    if (isTerminal) return output.write(`${begin}${forTerminal(bytes)}${end}`);
    return output.write(Buffer.concat([Buffer.from(begin), bytes, Buffer.from(end)]));
  };
}

function jsonOf({ service, bytes, time, ends }: LogLine): string {
  const text = new TextDecoder().decode(bytes);
  return JSON.stringify({ time: time === null ? null : iso(time), service, text, ends });
}
