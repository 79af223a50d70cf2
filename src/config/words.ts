// A command in one string → its words, split as a shell would, and nothing else of a shell: whatever a shell would
// interpret is refused with the thing to write instead. Knows nothing of files and keys.

import type { Parsed } from './quantity.js';

const bad = (offset: number, problem: string): Parsed<never> => ({ type: 'bad', offset, problem });

const SHELL = 'commands run without a shell; quote it, or write [sh, -c, "…"]';

/** The words of a command. `offset` of a problem: the character at fault. */
export function splitWords(text: string): Parsed<readonly string[]> {
  const words: string[] = [];
  // null: between words. A quoted nothing ('') begins a word too.
  let word: string | null = null;
  // Quoted characters of the word do not make it an assignment or a home directory.
  let isBare = true;
  let index = 0;

  const add = (part: string): void => {
    word = (word ?? '') + part;
  };

  while (index < text.length) {
    const char = text[index] ?? '';
    if (char === ' ' || char === '\t') {
      if (word !== null) words.push(word);
      word = null;
      isBare = true;
    } else if (char === '\n' || char === '\r') {
      if (text.slice(index).trim() === '') break;
      return bad(index, `has a second line; ${SHELL}`);
    } else if (char === "'") {
      const end = text.indexOf("'", index + 1);
      if (end === -1) return bad(index, "has a quote ' that is not closed; close it, or write \\'");
      add(text.slice(index + 1, end));
      isBare = false;
      index = end;
    } else if (char === '"') {
      const quoted = readDoubleQuoted(text, index);
      if (quoted.type === 'bad') return quoted;
      add(quoted.value.part);
      isBare = false;
      index = quoted.value.end;
    } else if (char === '\\') {
      if (index + 1 >= text.length) return bad(index, 'ends with a backslash; write \\\\ for one');
      if (text[index + 1] !== '\n') add(text[index + 1] ?? '');
      isBare = false;
      index += 1;
    } else if (char === '`' || '|;&<>$*()'.includes(char)) {
      return bad(index, `has an unquoted ${char} at character ${index + 1}; ${SHELL}`);
    } else if (char === '#' && word === null) {
      return bad(index, 'has an unquoted # that begins a word, a comment to a shell; quote it');
    } else if (char === '~' && word === null && /^~[\w-]*(?:[/\s]|$)/.test(text.slice(index))) {
      return bad(index, 'begins a word with ~, which is not expanded; write the whole path');
    } else if (char === '=' && isBare && words.length === 0 && /^[A-Za-z_]\w*$/.test(word ?? '')) {
      return bad(index - (word ?? '').length, `begins with the assignment ${word}=; write it below \`env:\``);
    } else {
      add(char);
    }
    index += 1;
  }
  if (word !== null) words.push(word);
  if (words.length === 0) return bad(0, 'is empty; write a program and its arguments');
  return { type: 'ok', value: words };
}

/** From the opening `"` at `start`: what it stands for, and where the closing one is. */
function readDoubleQuoted(text: string, start: number): Parsed<{ readonly part: string; readonly end: number }> {
  let part = '';
  for (let index = start + 1; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '"') return { type: 'ok', value: { part, end: index } };
    if (char === '$' || char === '`') {
      return bad(
        index,
        `has a ${char} in double quotes, where a shell expands it; write it in single quotes, or [sh, -c, "…"]`,
      );
    }
    const next = text[index + 1] ?? '';
    if (char === '\\' && '$`"\\\n'.includes(next) && next !== '') {
      if (next !== '\n') part += next;
      index += 1;
    } else {
      part += char;
    }
  }
  return bad(start, 'has a quote " that is not closed; close it, or write \\"');
}
