// YAML text → tree. The one file that knows the yaml package: YAML 1.2 core, strict, every node with its place, aliases
// written out within bounds, and the parser's own complaints turned into ours.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { Place, Problems } from './problem.js';
import type { Dict, Entry, Layer, Leaf, Tree } from './tree.js';

// Ten aliases of ten aliases of … is a bomb in ten lines. Honest files reuse a handful of small blocks.
const MOST_ALIASED = 10_000;

const DEEPEST = 60;

const IN_FILE: Layer = { type: 'file' };

/** Reads one document. Undefined when it is no valid YAML or holds nothing; then at least one problem was reported. */
export function readTree(file: string, text: string, problems: Problems): Tree | undefined {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const parsed = parse(text, lines);
  if (parsed === 'too-deep') {
    problems.report({ file, line: null, column: null }, null, 'is nested too deeply to be read');
    return undefined;
  }
  let last: Place | null = null;
  for (const error of [...parsed.errors, ...parsed.warnings]) {
    const at = placeAt(error.pos[0]);
    // What follows in the same line is the parser's confusion, and no mistake of its own.
    if (at.line !== last?.line) problems.report(at, null, complaint(error));
    last = at;
  }
  if (parsed.directives.yaml.explicit === true && parsed.directives.yaml.version !== '1.2') {
    const message = `%YAML ${parsed.directives.yaml.version} is not read; take the line out, YAML 1.2 is`;
    problems.report({ file, line: 1, column: 1 }, null, message);
    return undefined;
  }
  if (parsed.errors.length + parsed.warnings.length > 0) return undefined;
  if (parsed.contents === null) {
    problems.report({ file, line: 1, column: 1 }, null, 'the file is empty; write at least `services:`');
    return undefined;
  }
  return convert(parsed.contents, { file, text, placeAt, problems });
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed | 'too-deep' {
  try {
    // Duplicate keys are found by ourselves, so that the message can name the first one's line.
    return parseDocument(text, { lineCounter, version: '1.2', schema: 'core', prettyErrors: false, uniqueKeys: false });
  } catch (error) {
    // The parser is recursive: a file of opening brackets ends its stack.
    if (error instanceof RangeError) return 'too-deep';
    throw error;
  }
}

function complaint(error: YAMLError): string {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'found a tab where the line is indented; indent with spaces';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; write one document in a file and use `include`';
    case 'TAG_RESOLVE_FAILED':
      return 'a value that begins with ! is a tag in YAML, and tags are not used here; put it in quotes';
    case 'BAD_SCALAR_START':
      return `is not valid YAML: ${error.message}; put the value in quotes`;
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'found a second `: ` in one value; put the value in quotes';
    case 'MISSING_CHAR':
      return /quote/.test(error.message)
        ? 'a quote before here is not closed; close it'
        : `is not valid YAML: ${error.message}`;
    default: {
      const bracket = /and end with an? (\S)/.exec(error.message)?.[1];
      return bracket === undefined
        ? `is not valid YAML: ${error.message}`
        : `a bracket is not closed; write ${bracket}`;
    }
  }
}

interface Pair {
  readonly key: Node;
  readonly value: Node | null;
}

interface Conversion {
  readonly file: string;
  readonly text: string;
  readonly placeAt: (offset: number) => Place;
  readonly problems: Problems;
}

function convert(contents: ParsedNode, conversion: Conversion): Tree | undefined {
  const { placeAt, problems, file, text } = conversion;
  // Anchors in the order of reading: a name may be given again, and counts for what follows.
  const anchors = new Map<string, Node>();
  let aliased = 0;
  let isWhole = true;
  const fail = (at: Place, message: string): undefined => {
    isWhole = false;
    problems.report(at, null, message);
    return undefined;
  };

  // `open`: the nodes around this one; `alias`: the outermost alias by which it was come by.
  const visit = (
    node: Node | null | undefined,
    near: Place,
    open: readonly Node[],
    alias: Place | null,
  ): Tree | undefined => {
    if (!isWhole) return undefined;
    if (node === null || node === undefined) return nothing(near);
    const at = node.range && !isNothing(node) ? placeAt(node.range[0]) : near;
    if (open.length > DEEPEST) return fail(at, `is nested deeper than ${DEEPEST} levels; write it flatter`);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined)
        return fail(
          at,
          `found the alias *${node.source} without an anchor before it; put a value that begins with * in quotes`,
        );
      if (open.includes(target)) return fail(at, `the alias *${node.source} stands inside of what it stands for`);
      return visit(target, at, open, alias ?? at);
    }
    if (alias !== null) aliased += 1;
    if (aliased > MOST_ALIASED) {
      return fail(
        alias ?? at,
        `the aliases of this file stand for more than ${MOST_ALIASED} values; use \`templates\` instead`,
      );
    }
    if ((isScalar(node) || isSeq(node) || isMap(node)) && node.anchor) {
      // `hosts: &web` would silently be nothing, which is every host.
      if (isNothing(node))
        return fail(at, `found the anchor &${node.anchor} of nothing; put a value that begins with & in quotes`);
      anchors.set(node.anchor, node);
    }
    if (isScalar(node)) return leaf(node, at, text);
    const below = [...open, node];
    if (isSeq(node)) {
      const items = node.items.map((item) => visit(item as Node | null, at, below, alias));
      return { type: 'list', at, layer: IN_FILE, items: items.filter((item) => item !== undefined) };
    }
    if (!isMap(node)) return fail(at, 'is nothing that a configuration may hold');
    return dict(node.items as readonly Pair[], at, below, alias);
  };

  const dict = (pairs: readonly Pair[], at: Place, open: readonly Node[], alias: Place | null): Dict => {
    const entries = new Map<string, Entry>();
    for (const pair of pairs) {
      const keyAt = pair.key?.range ? placeAt(pair.key.range[0]) : at;
      if (!isScalar(pair.key) || (pair.key.value === null && pair.key.source !== 'null')) {
        fail(keyAt, 'a key must be a word, not a list, a map, an alias or nothing');
        continue;
      }
      const key = pair.key.source ?? String(pair.key.value);
      const first = entries.get(key);
      if (first !== undefined) {
        // Not fatal: the first one is read on, so that its mistakes are shown too.
        problems.report(
          keyAt,
          null,
          `${JSON.stringify(key)} stands twice in this map; the first is in line ${first.at.line}`,
        );
        continue;
      }
      const value = visit(pair.value, keyAt, open, alias);
      if (value !== undefined) entries.set(key, { key, at: keyAt, value });
    }
    return { type: 'dict', at, layer: IN_FILE, entries: [...entries.values()], alternatives: [] };
  };

  const tree = visit(contents, { file, line: 1, column: 1 }, [], null);
  return isWhole ? tree : undefined;
}

/** A value that was left out: it stands nowhere. */
const isNothing = (node: Node): boolean => isScalar(node) && node.value === null && node.source === '';

const nothing = (at: Place): Leaf => ({ type: 'leaf', at, layer: IN_FILE, text: '', value: null, inset: null });

function leaf(
  node: { value: unknown; source?: string; range?: readonly number[] | null },
  at: Place,
  text: string,
): Leaf {
  const { source } = node;
  // The core schema makes nothing else of a scalar.
  const value = isPlain(node.value) ? node.value : null;
  const written = source ?? (value === null ? '' : String(value));
  const start = node.range?.[0] ?? 0;
  const insets = written.includes('\n') ? [] : [0, 1];
  const inset = insets.find((columns) => text.startsWith(written, start + columns)) ?? null;
  return { type: 'leaf', at, layer: IN_FILE, text: written, value, inset };
}

const isPlain = (value: unknown): value is Leaf['value'] =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
