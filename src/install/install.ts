// `upkeep install`: finds out who owns the keeper, what is to be written, and writes it. Knows nothing of a keeper that may
// be running: the command line talks to that one.

import { chooseVia, wayFor, whyNot } from './choose.js';
import { findClaims, readCrontab } from './claim.js';
import { mergeLine } from './cron.js';
import type { Ground } from './ground.js';
import { claimOwner, type FoundOwner, ownerPath, readOwner } from './owner.js';
import { removeMark } from './stopped-mark.js';
import { type Target, whyNotWritable } from './target.js';
import type { Via } from './via.js';
import type { Command, Way, WishedFile, WishedLink } from './way.js';

export type Step =
  | { readonly type: 'file'; readonly file: WishedFile; readonly before: 'none' | 'older' }
  | { readonly type: 'link'; readonly link: WishedLink }
  /** The whole crontab, and the one line of it that is ours. */
  | { readonly type: 'crontab'; readonly text: string; readonly line: string }
  | { readonly type: 'run'; readonly command: Command };

export type Plan =
  /** One sentence. */
  | { readonly type: 'refused'; readonly problem: string }
  | {
      readonly type: 'ready';
      readonly way: Way;
      /** Did nobody say which one? */
      readonly chosen: 'by us' | 'by name' | 'before';
      /** Empty: all of it is there. */
      readonly steps: readonly Step[];
      readonly owner: 'here' | 'to be written';
    };

/** What an install would do; touches nothing. */
export function planInstall(target: Target, ground: Ground, asked: Via | null, want: 'start' | 'files'): Plan {
  const refused = (problem: string): Plan => ({ type: 'refused', problem });
  const unwritable = whyNotWritable(target);
  if (unwritable !== null) return refused(unwritable);
  const found = readOwner(target.state);
  if (found.type === 'unreadable') return refused(found.problem);
  const owned = found.type === 'owner' ? found.owner.via : null;
  const claims = findClaims(target, ground);
  const via = asked ?? owned ?? claims.find(({ type }) => type === 'ours')?.via ?? chooseVia(target, ground);
  if (owned !== null && owned !== via) return refused(alreadyKept(found, owned));
  const theirs = claims.find((claim) => claim.type === 'theirs');
  if (theirs?.type === 'theirs') return refused(theirs.problem);
  const rival = claims.find((claim) => claim.via !== via);
  if (rival !== undefined)
    return refused(
      `${rival.via} keeps this keeper already (${rival.path}); two would fight: \`upkeep uninstall\` first`,
    );
  const impossible = whyNot(via, target, ground, want);
  if (impossible !== null) return refused(impossible);
  const way = wayFor(via, target, ground);
  return {
    type: 'ready',
    way,
    chosen: asked !== null ? 'by name' : owned !== null ? 'before' : 'by us',
    steps: stepsFor(way, ground),
    owner: owned === null ? 'to be written' : 'here',
  };
}

function alreadyKept(found: FoundOwner, via: Via): string {
  const since = found.type === 'owner' ? ` since ${found.owner.since.slice(0, 10)}` : '';
  return `${via} keeps this keeper already${since}; two would fight: \`upkeep uninstall\` first`;
}

function stepsFor({ files, links, line, settle }: Way, ground: Ground): readonly Step[] {
  const steps: Step[] = [];
  for (const file of files) {
    const there = ground.find(file.path);
    const isSame = there.type === 'file' && there.text === file.text && there.mode === file.mode;
    if (!isSame) steps.push({ type: 'file', file, before: there.type === 'none' ? 'none' : 'older' });
  }
  for (const link of links) {
    const there = ground.find(link.path);
    if (there.type !== 'link' || there.target !== link.target) steps.push({ type: 'link', link });
  }
  if (line !== null) {
    const text = mergeLine(readCrontab(ground), line.mark, line.text);
    if (text !== null) steps.push({ type: 'crontab', text, line: line.text });
  }
  return steps.length === 0 ? [] : [...steps, ...settle.map((command): Step => ({ type: 'run', command }))];
}

/** Carries the plan out, the claim first. Throws a sentence. */
export function carryOut(target: Target, ground: Ground, plan: Extract<Plan, { type: 'ready' }>): void {
  const { way, steps } = plan;
  if (plan.owner === 'to be written') {
    const files = [...way.files, ...way.links].map(({ path }) => path);
    const directories = new Set(files.flatMap((path) => ground.missingDirectories(path)));
    const owner = {
      version: 1,
      via: way.via,
      since: new Date().toISOString(),
      config: target.config,
      // Directories end in a slash.
      files: [...files, ...[...directories].map((path) => `${path}/`)],
    } as const;
    if (claimOwner(target.state, owner) === 'no')
      throw new Error(`somebody else has just installed it; see ${ownerPath(target.state)}`);
  }
  for (const step of steps) perform(step, ground);
}

function perform(step: Step, ground: Ground): void {
  switch (step.type) {
    case 'file':
      ground.writeFile(step.file);
      break;
    case 'link':
      ground.writeLink(step.link);
      break;
    case 'crontab':
      runOrThrow(ground, ['crontab', '-'], step.text);
      break;
    case 'run':
      runOrThrow(ground, step.command);
      break;
  }
}

/** Starts the keeper now; the mark of who stopped it goes. Throws a sentence. */
export function startNow(target: Target, ground: Ground, way: Way): void {
  removeMark(target.state);
  runOrThrow(ground, way.start);
}

function runOrThrow(ground: Ground, command: Command, input = ''): void {
  const { code, stdout, stderr } = ground.run(command, input);
  if (code === 0) return;
  const said = (stderr.trim() === '' ? stdout : stderr).trim().replaceAll('\n', '; ');
  throw new Error(`\`${command.join(' ')}\` failed (exit ${code})${said === '' ? '' : `: ${said}`}`);
}

/** A step in words, for `--dry-run`. */
export function stepLines(step: Step): readonly string[] {
  switch (step.type) {
    case 'file': {
      const { path, text, mode } = step.file;
      const how = step.before === 'none' ? 'write' : 'replace our older';
      return [
        `${how} ${path} (mode 0${mode.toString(8)}):`,
        ...text
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`.trimEnd()),
      ];
    }
    case 'link':
      return [`link ${step.link.path} to ${step.link.target}`];
    case 'crontab':
      return ['put this line into your crontab, and leave the others as they are:', `  ${step.line}`];
    case 'run':
      return [`run ${step.command.join(' ')}`];
  }
}
