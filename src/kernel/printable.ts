// Names that somebody else chose, made fit for a message.

/** They must neither move the cursor nor begin a line. */
export const printable = (text: string): string => text.trim().replace(/\p{C}/gu, '?');

/** The text of /proc, which is read byte by byte. */
export const fromLatin1 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
