// One line on a terminal that is written again and again while people wait; nothing where there is no terminal.

import type { Output } from './terminal.js';
import { cutTo, printable } from './text-width.js';

export interface ProgressLine {
  readonly show: (text: string) => void;
  /** Takes the line away, for what is printed next. */
  readonly clear: () => Promise<void>;
}

// ECMA-48: to the first column, and erase to the end of the line.
const ERASE = '\r\u001b[K';

export function progressLine(output: Output): ProgressLine {
  let shown = '';
  return {
    show: (text) => {
      const columns = output.columns();
      const line = columns === null ? '' : cutTo(printable(text), columns - 1);
      if (line === shown || output.colours === 'no') return;
      shown = line;
      void output.write(`${ERASE}${line}`);
    },
    clear: async () => {
      if (shown === '') return;
      shown = '';
      await output.write(ERASE);
    },
  };
}
