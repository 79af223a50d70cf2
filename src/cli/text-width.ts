// Text in columns: how wide it is on a terminal, padded and cut to a width, and made safe to show. Knows no colours.

// Made at the first text that needs it: making one takes 9 ms, as long as all the rest of a status.
let segmenter: Intl.Segmenter | null = null;

function* graphemes(text: string): Generator<string> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

// East Asian wide and emoji, by their blocks: two columns on every terminal in use.
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** Columns that it takes on a terminal. */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const segment of graphemes(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** Filled up with spaces on the right. */
export const padTo = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** At most so wide; what is cut ends in `…`. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (isPlain(text)) return width > 0 ? `${text.slice(0, width - 1)}…` : '';
  let kept = '';
  let used = 0;
  for (const segment of graphemes(text)) {
    const size = WIDE.test(segment) ? 2 : 1;
    if (used + size > width - 1) break;
    kept += segment;
    used += size;
  }
  return width > 0 ? `${kept}…` : '';
}

/** Without what a terminal would obey: control characters, and those that turn the direction of text. On one line. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ');

const isPlain = (text: string): boolean => /^[\u0020-\u007e]*$/.test(text);
