// Absolute paths that lead where they seem to, one spelling each. Only the text is judged; links are the kernel's matter.

import type { Parsed } from './quantity.js';

/** `/run//web/` and `/run/./web` are `/run/web`. */
export function normalPath(text: string): string {
  if (!text.startsWith('/')) return text;
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

/** A path below the root, without `..` and control characters. */
export function plainPath(text: string): Parsed<string> {
  const bad = (problem: string): Parsed<never> => ({ type: 'bad', problem });
  if (!text.startsWith('/')) return bad('is not a whole path; write one that begins with /');
  if (/[\p{Cc}\u2028\u2029]/u.test(text)) return bad('has a control character; write a plain path');
  if (text.split('/').includes('..')) return bad('goes up with ..; write where it leads');
  const path = normalPath(text);
  return path === '/' ? bad('is the root of everything; write a path below it') : { type: 'ok', value: path };
}
