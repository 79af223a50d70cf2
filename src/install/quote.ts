// Words as sh, cron and systemd read them. Pure.

/** sh: left as it is where nothing in it means anything. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** crontab(5): an unescaped % is a newline, and the backslash before one is taken away before the shell sees it. */
export const cronCommand = (words: readonly string[]): string => words.map(shellWord).join(' ').replaceAll('%', '\\%');

/** systemd.service(5), "Command lines": quotes as in C, `%` begins a specifier, `$` a variable. */
export const systemdWord = (word: string): string => {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, '\\$&')}"`;
};

/** systemd.exec(5): in Environment= a `$` means nothing. */
export const systemdVariable = (name: string, value: string): string =>
  `"${name}=${value.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`;
