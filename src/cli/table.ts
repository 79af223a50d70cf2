// Rows → lines: a table without boxes, fitted to a width. Pure.

import type { Colour, Paint } from './paint.js';
import { cutTo, padTo, widthOf } from './text-width.js';

export interface Cell {
  readonly text: string;
  readonly colour: Colour | null;
}

export interface Column {
  readonly title: string;
  /** Columns of text that it may be cut down to when the table is too wide; null: never cut. */
  readonly least: number | null;
}

const GAP = 2;

/** One line for the titles and one for each row. `width`: null where nothing is to be cut. */
export function tableOf(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | null,
  paint: Paint,
): readonly string[] {
  const widths = fittedWidths(columns, naturalWidths(columns, rows), width);
  const lineOf = (cells: readonly Cell[]): string => {
    const parts = cells.map(({ text, colour }, index) => {
      const room = widths[index] ?? 0;
      const cut = cutTo(text, room);
      // Spaces stay outside the colour, and the last column needs none.
      const fill = index === cells.length - 1 ? '' : padTo(cut, room + GAP).slice(cut.length);
      return paint(colour, cut) + fill;
    });
    return parts.join('').trimEnd();
  };
  return [columns.map(({ title }): Cell => ({ text: title, colour: 'dim' })), ...rows].map(lineOf);
}

function naturalWidths(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[index]?.text ?? '')), title.length),
  );
}

/** Takes from the widest column that may be cut, again and again, until all fit or nothing is left to take. */
function fittedWidths(columns: readonly Column[], natural: readonly number[], width: number | null): readonly number[] {
  const widths = [...natural];
  if (width === null) return widths;
  let excess = widths.reduce((sum, one) => sum + one, GAP * (widths.length - 1)) - width;
  while (excess > 0) {
    const widest = widths.reduce(
      (best, one, index) => (roomIn(index) > 0 && one > (widths[best] ?? -1) ? index : best),
      -1,
    );
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;

  function roomIn(index: number): number {
    const least = columns[index]?.least ?? null;
    return least === null ? 0 : (widths[index] ?? 0) - least;
  }
}
