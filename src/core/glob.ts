// Globs of names: `*` and `?` stop at a slash, `[a-z]` and `[!a-z]` are sets.

/** Does it hold a wildcard? */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

/** Matches whole texts. A set that is not closed is the character [. */
export function globRegex(glob: string, flags = ''): RegExp {
  let source = '';
  for (let index = 0; index < glob.length; index += 1) {
    const char = glob[index] ?? '';
    const set = char === '[' ? /^\[(!|\^)?(\]?[^\]]*)\]/.exec(glob.slice(index)) : null;
    if (set !== null && set[2] !== '') {
      source += `[${set[1] === undefined ? '' : '^'}${(set[2] ?? '').replace(/[\\\]^]/g, '\\$&')}]`;
      index += set[0].length - 1;
    } else if (char === '*') {
      // A second star adds nothing, and would make failing slow.
      if (!source.endsWith('[^/]*')) source += '[^/]*';
    } else {
      source += char === '?' ? '[^/]' : char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  }
  try {
    return new RegExp(`^${source}$`, flags);
  } catch {
    // A set like [z-a] matches nothing in a shell either.
    return /^(?!)/;
  }
}
