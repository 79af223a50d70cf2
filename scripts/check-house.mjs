// The house rules that no tool knows: what may not stand in core, in a file name, or in the project at
// all. Reads syntax trees where words would mislead (a comment may speak of Date.now).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { filesUnder, ROOT } from './build.mjs';

const faults = [];
const report = (file, line, text) => faults.push(`${file}:${line}: ${text}`);

const core = filesUnder('src/core').filter((file) => file.endsWith('.ts'));
for (const file of core) {
  if (!file.endsWith('.test.ts')) checkCore(file);
}

// A new file counts as soon as it is there, unless git is told to ignore it.
const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  .toString()
  .split('\0')
  .filter((file) => file !== '');
for (const file of tracked) {
  checkName(file);
  checkText(file);
}
checkLockfile();

for (const fault of faults) console.error(fault);
console.log(`house: ${core.length} files of core, ${tracked.length} files in all, ${faults.length} faults`);
process.exitCode = faults.length === 0 && core.length > 0 && tracked.length > 0 ? 0 : 1;

/** Core is pure: no clock, no chance, no promise, no class, no output; and every switch names all its cases. */
function checkCore(file) {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const at = (node, text) => report(file, source.getLineAndCharacterOfPosition(node.getStart()).line + 1, text);
  const visit = (node) => {
    if (ts.isClassLike(node)) at(node, 'no class in core: use a record and functions');
    if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) at(node, 'no async code in core');
    if (ts.isDefaultClause(node))
      at(node, 'no `default:` in core: name every case, so that a new one does not compile');
    if (ts.isIdentifier(node)) checkWord(node, at);
    if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random')
      at(node, 'no chance in core: pass it in');
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function checkWord(node, at) {
  // `x.Date` and `{ Date: 1 }` are names of something else.
  const isMember =
    (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) ||
    (ts.isPropertyAssignment(node.parent) && node.parent.name === node) ||
    ts.isPropertySignature(node.parent);
  if (isMember) return;
  // `new Date(at)` only writes a given time; without an argument it reads the clock.
  const isConversion = ts.isNewExpression(node.parent) && node.parent.arguments?.length > 0;
  if (node.text === 'Date' && isConversion) return;
  if (node.text === 'Date' || node.text === 'performance')
    at(node, `no clock in core (${node.text}): pass the time in`);
  if (node.text === 'Promise') at(node, 'no promise in core');
  // `process` is a word of our own here; Node's does not compile in core.
  if (['console', 'globalThis'].includes(node.text)) at(node, `no ${node.text} in core`);
}

function checkName(file) {
  if (!/^(clients\/\w+\/)?(src|test|scripts|bench)\//.test(file)) return;
  if (/^(utils?|common|helpers?|misc|shared|types|index)\.[cm]?[jt]s$/.test(basename(file))) {
    report(file, 1, 'a file is named after the one thing that it holds');
  }
}

function checkText(file) {
  const text = readFileSync(join(ROOT, file), 'utf8');
  text.split('\n').forEach((line, index) => {
    // Written in two halves so that this line is not found by itself.
    if (line.includes(`/${'work'}/`)) report(file, index + 1, 'a path of one machine');
    if (file === 'package-lock.json' && /"resolved": "(?!clients\/)|registry\./.test(line)) {
      report(file, index + 1, 'the lockfile names a registry; see .npmrc');
    }
  });
}

/** `npm ci` refuses a lockfile that leaves out a package of another platform, as a partial mirror makes npm write it. */
function checkLockfile() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      const isListed = `node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages;
      if (!isListed) report('package-lock.json', 1, `${name}, wanted by ${path}, is not listed`);
    }
  }
}
