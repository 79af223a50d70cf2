// What a command line runs: the script behind an interpreter, or a program that goes by another name. Reads words only:
// it knows no file and no process, and a path may still be relative.

/** `title`: nothing behind the interpreter can be read, as in an interactive shell or after the process rewrote its arguments. */
export type Program =
  | { readonly type: 'binary' }
  | { readonly type: 'script'; readonly path: string }
  /** A Python module, a Java class. */
  | { readonly type: 'module'; readonly name: string }
  /** Code on the command line, as after `sh -c`. */
  | { readonly type: 'inline' }
  | { readonly type: 'title' };

const BINARY: Program = { type: 'binary' };
const INLINE: Program = { type: 'inline' };
const TITLE: Program = { type: 'title' };

interface Interpreter {
  /** The whole basename of the executable. */
  readonly name: RegExp;
  /** An option after which no script comes, but code. */
  readonly inline: RegExp;
  /** Its value is the name of a module or class. */
  readonly module?: RegExp;
  /** Its value is the script. */
  readonly file?: RegExp;
  /** An option whose value is the next argument. */
  readonly valued?: RegExp;
  /** What stands alone names no file. */
  readonly bare?: 'module';
}

const SHELL = /^(sh|bash|rbash|dash|ash|ksh|mksh|zsh|fish|csh|tcsh)$/;

// From the manual pages of dash, bash, python3, perlrun, ruby, node, php, java, lua, tclsh. Letters may be joined
// (`sh -ec`), a value may be joined to its letter (`perl -I/lib`): only a letter that ends the word takes the next one.
const INTERPRETERS: readonly Interpreter[] = [
  {
    name: SHELL,
    inline: /^-[a-z]*c[a-z]*$/i,
    valued: /^([-+]o|--rcfile|--init-file)$/,
  },
  {
    name: /^(python|pypy)\d*(\.\d+)*[a-z]*$/,
    inline: /^-[a-zA-Z]*c/,
    module: /^-[a-zA-Z]*m$/,
    valued: /^(-[a-zA-Z]*[WXQ]|--check-hash-based-pycs)$/,
  },
  { name: /^perl(\d+(\.\d+)*)?$/, inline: /^-[acnpsStTuUwWXlF0-9]*[eE]/, valued: /^-I$/ },
  { name: /^ruby\d*(\.\d+)*$/, inline: /^-[acnpslwW0-9]*e/, valued: /^-[ICErx]$/ },
  {
    name: /^(node|nodejs|bun)$/,
    inline: /^(-e|-p|-pe|--eval|--print)(=|$)/,
    valued: /^(-r|-C|--require|--import|--loader|--experimental-loader|--conditions|--title|--env-file|--input-type)$/,
  },
  { name: /^php(\d+(\.\d+)?)?(-cgi)?$/, inline: /^-[rRB]/, file: /^(-f|--file)$/, valued: /^-[dczSt]$/ },
  {
    name: /^java$/,
    inline: /^$/,
    file: /^-jar$/,
    module: /^(-m|--module)$/,
    valued: /^(-cp|-classpath|--class-path|-p|--module-path|--add-modules|--add-opens|--add-exports|--add-reads)$/,
    bare: 'module',
  },
  { name: /^(lua|luajit)\d*(\.\d+)*$/, inline: /^-e/, valued: /^-l$/ },
  { name: /^(tclsh|wish|expect|Rscript|guile)\d*(\.\d+)*$/, inline: /^-[ce]/ },
];

/** What this executable runs with these arguments. Where `exe` may not be read, argv[0] says which program it is. */
export function programOf(exe: string | null, argv: readonly string[]): Program {
  // A login shell is called `-bash`.
  const interpreter = interpreterOf(exe ?? argv[0]?.replace(/^-/, '') ?? '');
  return interpreter === undefined ? BINARY : behind(interpreter, argv);
}

function interpreterOf(path: string): Interpreter | undefined {
  const name = basename(path);
  return INTERPRETERS.find((one) => one.name.test(name));
}

function behind(interpreter: Interpreter, argv: readonly string[]): Program {
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i] ?? '';
    const next = argv[i + 1];
    // `-` and `-s` make the program come from the standard input.
    if (word === '-' || word === '') return TITLE;
    if (word === '--') return next === undefined ? TITLE : named(interpreter, next);
    if (!/^[-+]/.test(word)) return named(interpreter, word);
    if (interpreter.module?.test(word)) return next === undefined ? TITLE : { type: 'module', name: next };
    if (interpreter.file?.test(word)) return next === undefined ? TITLE : { type: 'script', path: next };
    if (interpreter.inline.test(word)) return INLINE;
    if (interpreter.valued?.test(word)) i += 1;
  }
  return TITLE;
}

function named(interpreter: Interpreter, word: string): Program {
  return interpreter.bare === 'module' ? { type: 'module', name: word } : { type: 'script', path: word };
}

/** One executable under many names: only argv says which of them runs. */
const MULTICALL = /^(busybox|toybox)(\.\w+)?$/;

/** The name under which a busybox runs; null for any other program. */
export function appletOf(exe: string | null, argv: readonly string[]): string | null {
  if (exe === null || !MULTICALL.test(basename(exe))) return null;
  const called = basename(argv[0] ?? '');
  return MULTICALL.test(called) ? basename(argv[1] ?? '') : called;
}

/**
 * The names that argv[0] gives: that of the program, or where the process wrote a title over its arguments, as in
 * `nginx: master process /usr/sbin/nginx`, the word at its head. What comes later in a title are things that it serves.
 */
export function namesInTitle(argv: readonly string[]): readonly string[] {
  const title = argv[0] ?? '';
  if (argv.length > 1 && !/^\S+: /.test(title)) return [basename(title)];
  return [basename((title.split(' ', 1)[0] ?? '').replace(/:$/, ''))];
}

/** A program that runs others on request. */
export const isShell = (path: string): boolean => SHELL.test(basename(path));

/** A program whose executable says nothing about what it does. */
export const isInterpreter = (path: string): boolean => interpreterOf(path) !== undefined;

/** What follows the last slash. */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
