// Is this process one of those that a pattern means, and why (not)? Asks for as few facts as it can, cheapest first:
// the kernel layer reads a fact only when it is asked for. It must not know which of the matches is the main process.

import type { Pattern, ProcessFacts } from './pattern.js';
import { appletOf, basename, isInterpreter, isShell, namesInTitle, programOf } from './program.js';

/** What the rule has to ask the host about the words of a pattern. */
export interface Host {
  /** Where a path really leads, and which file that is; null when it leads nowhere. */
  readonly file: (path: string) => HostFile | null;
  /** The number of a user; null when there is no such user. */
  readonly uid: (user: string) => number | null;
  /** The pid of the keeper, which never matches; null when there is none. */
  readonly keeper: number | null;
}

export interface HostFile {
  readonly path: string;
  /** Written like ProcessFacts.exeId. */
  readonly id: string | null;
}

/** The rule of one pattern, ready to be asked about many processes. What it knows of files and users is as old as itself. */
export interface Matcher {
  readonly judge: (facts: ProcessFacts) => Judgement;
}

export interface Judgement {
  /** `unseen`: it may be one, but its executable may not be read. */
  readonly match: 'yes' | 'no' | 'unseen';
  /** The reason in words, like "its executable is /usr/sbin/sshd". */
  readonly because: (facts: ProcessFacts) => string;
}

/** Does this process match? A pattern of a pid file alone matches what could be named by one. */
export function matches(pattern: Pattern, facts: ProcessFacts, host: Host): boolean {
  return matcherOf(pattern, host).judge(facts).match === 'yes';
}

/** Why this process matches the pattern, or why not, in words. */
export function explainMatch(pattern: Pattern, facts: ProcessFacts, host: Host): string {
  return matcherOf(pattern, host).judge(facts).because(facts);
}

type Rule = (facts: ProcessFacts) => Judgement;

const yes = (because: Judgement['because']): Judgement => ({ match: 'yes', because });
const no = (because: Judgement['because']): Judgement => ({ match: 'no', because });

export function matcherOf(pattern: Pattern, host: Host): Matcher {
  const isWhatItSays = ruleOf(pattern, host);
  const user = pattern.user;
  const uid = user === null ? null : host.uid(user);
  const judge: Rule = (facts) => {
    const { pid } = facts.process;
    if (pid <= 1) return INIT;
    if (pid === host.keeper) return KEEPER;
    if (facts.exe === null && facts.argv.length === 0) return NOT_A_PROGRAM;
    const judgement = isWhatItSays(facts);
    if (judgement.match === 'no') return judgement;
    if (user !== null && uid === null) return noSuchUser(user);
    if (uid !== null && facts.uid !== uid) return otherUser(user ?? '');
    if (pattern.containers === 'no' && facts.foreignNamespace === 'yes') return IN_CONTAINER;
    return judgement;
  };
  return { judge };
}

const INIT = no(() => 'it is the first process of the host');
const KEEPER = no(() => 'it is the keeper itself');
const NOT_A_PROGRAM = no(() => 'it is a kernel thread, or has ended already');
const IN_CONTAINER = no(() => 'it runs in a container (in another PID namespace); `containers: true` counts those too');
const noSuchUser = (user: string): Judgement => no(() => `there is no user ${user} here`);
const otherUser = (user: string): Judgement => no((facts) => `it runs as uid ${facts.uid}, not as ${user}`);

function ruleOf(pattern: Pattern, host: Host): Rule {
  const { by } = pattern;
  switch (by.type) {
    case 'exe':
      return isGlob(by.path) ? globRule(by.path, host) : pathRule(by.path, host);
    case 'name':
      return nameRule(by.name);
    case 'match':
      return lineRule(by.regex);
    case 'pidFile':
      return () => NAMED;
  }
}

const NAMED = yes(() => 'the pid file names it');

// ---- by path ----

const BY_EXE = yes((facts) => `its executable is ${facts.exe}`);
const BY_INODE = yes((facts) => `its executable ${facts.exe} is the same file`);
const BY_SCRIPT = yes((facts) => `it is the script ${facts.script}, run by ${facts.exe ?? 'an interpreter'}`);
const BY_TITLE = yes((facts) => `it calls itself "${facts.argv.join(' ')}"`);

const HIDDEN: Judgement = {
  match: 'unseen',
  because: (facts) => `it calls itself "${facts.argv[0] ?? ''}", but its executable may not be read`,
};

function pathRule(path: string, host: Host): Rule {
  const target = host.file(path);
  const real = target?.path ?? path;
  const otherPath = no((facts) => differs(facts, path));
  const isTheScript = (script: string): boolean =>
    script === path || script === real || (target !== null && host.file(script)?.path === real);
  return (facts) => {
    const { exe } = facts;
    if (exe !== null) {
      if (exe === path || exe === real) return isOtherApplet(facts, path) ? otherPath : BY_EXE;
      // Another name of the same file: a hard link.
      if (target?.id != null && facts.exeId === target.id) return isOtherApplet(facts, path) ? otherPath : BY_INODE;
    }
    const judgement = behindTheExecutable(facts, otherPath, isTheScript, (word) => word === path || word === real);
    return judgement === otherPath && exe === null && namesInTitle(facts.argv).includes(basename(path))
      ? HIDDEN
      : judgement;
  };
}

function globRule(glob: string, host: Host): Rule {
  const regex = globRegex(glob);
  const otherPath = no((facts) => differs(facts, glob));
  const isTheScript = (script: string): boolean => {
    if (regex.test(script)) return true;
    const real = host.file(script)?.path;
    return real !== undefined && regex.test(real);
  };
  return (facts) => {
    if (facts.exe !== null && regex.test(facts.exe)) return BY_EXE;
    return behindTheExecutable(facts, otherPath, isTheScript, (word) => regex.test(word));
  };
}

/** The executable is another one, or may not be read: a script, or what the process says of itself, may still be the program. */
function behindTheExecutable(
  facts: ProcessFacts,
  otherwise: Judgement,
  isTheScript: (script: string) => boolean,
  isTheProgram: (word: string) => boolean,
): Judgement {
  const { exe } = facts;
  // A readable executable that interprets nothing has the last word: `vim /usr/sbin/sshd` is vim, whatever it says.
  if (exe !== null && !isInterpreter(exe)) return otherwise;
  if (facts.script !== null && isTheScript(facts.script)) return BY_SCRIPT;
  if (exe === null || programOf(exe, facts.argv).type === 'title') {
    if (titleIs(facts.argv, isTheProgram)) return BY_TITLE;
  }
  return otherwise;
}

/** argv[0] is the path, or a title headed by the program's name that holds the path ("sshd: /usr/sbin/sshd -D [listener]"). */
function titleIs(argv: readonly string[], isTheProgram: (word: string) => boolean): boolean {
  const title = argv[0] ?? '';
  if (isTheProgram(title)) return true;
  const words = title.split(' ');
  if (words.length === 1) return false;
  if (isTheProgram(words[0] ?? '')) return true;
  const head = /^([^\s:]+): /.exec(title)?.[1];
  return head !== undefined && words.some((word) => basename(word) === head && isTheProgram(word));
}

/** A busybox that was called by another name than the path's. */
function isOtherApplet(facts: ProcessFacts, path: string): boolean {
  const applet = appletOf(facts.exe, facts.argv);
  const wanted = basename(path);
  return applet !== null && applet !== wanted && wanted !== basename(facts.exe ?? '');
}

function differs(facts: ProcessFacts, path: string): string {
  if (facts.script !== null) return `it is the script ${facts.script}, not ${path}`;
  if (facts.exe !== null) return `its executable is ${facts.exe}, not ${path}`;
  return `its executable may not be read, and it calls itself "${facts.argv[0] ?? facts.comm}", not ${path}`;
}

// ---- by name ----

const BY_NAME_OF_EXE = yes((facts) => `its executable is ${facts.exe}`);
const BY_NAME_OF_SCRIPT = BY_SCRIPT;
const BY_MODULE = yes((facts) => `it runs that module: "${facts.argv.join(' ')}"`);

function nameRule(name: string): Rule {
  const otherName = no((facts) => {
    const names = [facts.exe, facts.script].filter((path) => path !== null).map(basename);
    return `it is called ${[...new Set([...names, ...namesInTitle(facts.argv)])].join(', ')}, not ${name}`;
  });
  const beginner = no((facts) => `it is ${facts.script}, which only starts and stops it`);
  return (facts) => {
    const { exe } = facts;
    const applet = exe === null ? null : appletOf(exe, facts.argv);
    if (applet !== null) return applet === name ? BY_TITLE : otherName;
    if (exe !== null && basename(exe) === name) return BY_NAME_OF_EXE;
    if (exe === null || isInterpreter(exe)) {
      if (facts.script !== null && basename(facts.script) === name) {
        return isInitScript(facts.script) ? beginner : BY_NAME_OF_SCRIPT;
      }
      const program = programOf(exe, facts.argv);
      if (program.type === 'module' && program.name === name) return BY_MODULE;
    }
    return namesInTitle(facts.argv).includes(name) ? BY_TITLE : otherName;
  };
}

// `/bin/sh /etc/init.d/slapd start` is called slapd too, and lives just long enough to be taken for it.
const INIT_SCRIPT = /^(\/usr\/local)?\/etc\/(init\.d|rc\.d|rc[0-6S]\.d)\//;
const isInitScript = (script: string): boolean => INIT_SCRIPT.test(script);

// ---- by command line ----

const BY_LINE = yes((facts) => `its command line is "${facts.argv.join(' ')}"`);

// Programs that have the names of others on their command lines. One of them counts when the expression names it.
const BYSTANDER =
  /^(vi|vim|view|vimdiff|nvim|ex|nano|pico|emacs|emacsclient|ed|joe|mcedit|less|more|most|pg|cat|tail|head|watch|multitail|z?e?f?grep|pgrep|pkill|ps|top|htop|rg|ag|ack|sed|awk|gawk|mawk|find|locate|man|diff|strace|ltrace|gdb|lsof|tmux|screen|script|ssh|scp|rsync|sudo|su|doas|runuser|setpriv|env|nice|ionice|nohup|timeout|time|xargs|setsid|flock|prlimit|chrt|taskset|stdbuf|service|invoke-rc\.d|systemctl|start-stop-daemon|journalctl|apt|apt-get|dpkg|upkeep)$/;

function lineRule(source: string): Rule {
  const regex = regexOf(source);
  if (regex === null) return () => no(() => `"${source}" is no regular expression`);
  const otherLine = no((facts) => `its command line "${facts.argv.join(' ')}" does not match`);
  const onlyNames = no((facts) => `its command line matches, but it is ${calledOf(facts)}, which only names it`);
  return (facts) => {
    if (facts.argv.length === 0 || !regex.test(facts.argv.join(' '))) return otherLine;
    return isBystander(facts, source) ? onlyNames : BY_LINE;
  };
}

function isBystander(facts: ProcessFacts, source: string): boolean {
  if (facts.script !== null && isInitScript(facts.script)) return !source.includes('init.d');
  if (facts.script?.startsWith('/var/lib/dpkg/')) return !source.includes('dpkg');
  const called = calledOf(facts);
  if (namesWord(source, called)) return false;
  // A shell with `-c` names what it starts; one that runs a script is that script.
  const { type } = programOf(facts.exe, facts.argv);
  return (type === 'inline' && isShell(called)) || BYSTANDER.test(called) || BYSTANDER.test(basename(facts.exe ?? ''));
}

/** What a person would call the process: its script, or the name it was started under. */
function calledOf(facts: ProcessFacts): string {
  return basename(facts.script ?? facts.argv[0]?.split(' ', 1)[0] ?? facts.exe ?? '');
}

function namesWord(source: string, word: string): boolean {
  return word !== '' && source.split(/[^\w.-]+/).includes(word);
}

function regexOf(source: string): RegExp | null {
  try {
    return new RegExp(source);
  } catch {
    return null; // the configuration refuses it; a pattern given by hand may still hold one
  }
}

// ---- globs ----

const isGlob = (path: string): boolean => /[*?[{]/.test(path);

/** `*` and `?` stop at a slash, `**` does not; `[a-z]` and `{a,b}` as in a shell. */
function globRegex(glob: string): RegExp {
  let depth = 0;
  const body = glob.replaceAll(/\*\*|\[(!?)([^\]]+)\]|[\s\S]/g, (token, not: string, set: string | undefined) => {
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replaceAll(/[\\^\]]/g, '\\$&')}]`;
    if (token === '{') {
      depth += 1;
      return '(?:';
    }
    if (token === '}' && depth > 0) {
      depth -= 1;
      return ')';
    }
    if (token === ',' && depth > 0) return '|';
    return token.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  });
  // An open brace never closed is a brace.
  return depth === 0 ? new RegExp(`^${body}$`) : new RegExp(`^${glob.replaceAll(/[\\^$.|+()[\]{}*?]/g, '\\$&')}$`);
}
