// Text of others (names of processes, reasons, errors) as one line of bounded length. What a terminal or a header would
// obey is taken out; a channel makes its own text safe once more.

/** At most so many characters, without control characters and those that turn the direction of text around. */
export function oneLine(text: string, most: number): string {
  const plain = text
    .slice(0, most * 4)
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ')
    .trimEnd();
  const characters = [...plain];
  return characters.length <= most ? plain : `${characters.slice(0, most - 1).join('')}…`;
}
