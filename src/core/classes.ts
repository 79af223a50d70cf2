// Class expressions: which hosts a thing applies to, written as `web|dns` or `debian.!container`. Parser and evaluator.
// Pure text and sets: which classes a host has, and which names may stand here at all, is known by others.

export type ClassExpression =
  | { readonly type: 'name'; readonly name: string; readonly offset: number }
  | { readonly type: 'not'; readonly of: ClassExpression }
  | { readonly type: 'and'; readonly all: readonly ClassExpression[] }
  | { readonly type: 'or'; readonly any: readonly ClassExpression[] };

/** `offset`: where in the text the problem is, from 0. */
export type ClassParse =
  | { readonly type: 'ok'; readonly expression: ClassExpression }
  | { readonly type: 'bad'; readonly offset: number; readonly problem: string };

interface Token {
  readonly type: 'name' | 'and' | 'or' | 'not' | '(' | ')' | 'end' | 'stranger';
  readonly text: string;
  readonly offset: number;
}

// A person does not nest deeper; a hostile file would otherwise end the stack.
const DEEPEST = 50;

const NAME = /^[A-Za-z0-9_]+$/;

/** May this be the name of a class? */
export const isClassName = (text: string): boolean => NAME.test(text);

/** The class that stands for a name which may hold other characters, as in `web-1.example.org` → `web_1_example_org`. */
export const classNameOf = (text: string): string => text.replace(/[^A-Za-z0-9_]/g, '_');

/** Reads an expression. `!` binds closest, then and (`.` `&` `&&`), then or (`|` `||`). What is left over is an error. */
export function parseClassExpression(text: string): ClassParse {
  const tokens = tokensOf(text);
  if (tokens[0]?.type === 'end') return bad(0, 'the class expression is empty; `any` is true everywhere');
  const parsed = parseOr(tokens, 0, 0);
  if (parsed.type === 'bad') return parsed;
  const rest = at(tokens, parsed.next);
  if (rest.type === 'end') return { type: 'ok', expression: parsed.expression };
  return bad(rest.offset, strange(rest, 'an operator'));
}

/** Is it true where exactly these classes are set? */
export function isTrue(expression: ClassExpression, isSet: (name: string) => boolean): boolean {
  switch (expression.type) {
    case 'name':
      return isSet(expression.name);
    case 'not':
      return !isTrue(expression.of, isSet);
    case 'and':
      return expression.all.every((part) => isTrue(part, isSet));
    case 'or':
      return expression.any.some((part) => isTrue(part, isSet));
  }
}

/** The classes that it speaks of, in order, each with its place in the text. */
export function namesIn(expression: ClassExpression): readonly { readonly name: string; readonly offset: number }[] {
  switch (expression.type) {
    case 'name':
      return [{ name: expression.name, offset: expression.offset }];
    case 'not':
      return namesIn(expression.of);
    case 'and':
      return expression.all.flatMap(namesIn);
    case 'or':
      return expression.any.flatMap(namesIn);
  }
}

type Part =
  | { readonly type: 'ok'; readonly expression: ClassExpression; readonly next: number }
  | { readonly type: 'bad'; readonly offset: number; readonly problem: string };

function parseOr(tokens: readonly Token[], from: number, depth: number): Part {
  return parseChain(tokens, from, depth, 'or', parseAnd, (any) => ({ type: 'or', any }));
}

function parseAnd(tokens: readonly Token[], from: number, depth: number): Part {
  return parseChain(tokens, from, depth, 'and', parseNot, (all) => ({ type: 'and', all }));
}

function parseChain(
  tokens: readonly Token[],
  from: number,
  depth: number,
  operator: 'and' | 'or',
  operand: (tokens: readonly Token[], from: number, depth: number) => Part,
  join: (parts: readonly ClassExpression[]) => ClassExpression,
): Part {
  const parts: ClassExpression[] = [];
  let next = from;
  for (;;) {
    const part = operand(tokens, next, depth);
    if (part.type === 'bad') return part;
    parts.push(part.expression);
    next = part.next;
    if (at(tokens, next).type !== operator) break;
    next += 1;
  }
  const only = parts[0];
  return { type: 'ok', expression: parts.length === 1 && only !== undefined ? only : join(parts), next };
}

function parseNot(tokens: readonly Token[], from: number, depth: number): Part {
  let next = from;
  while (at(tokens, next).type === 'not') next += 1;
  const atom = parseAtom(tokens, next, depth);
  // Two negations cancel: only an odd number of them is kept.
  if (atom.type === 'bad' || (next - from) % 2 === 0) return atom;
  return { type: 'ok', expression: { type: 'not', of: atom.expression }, next: atom.next };
}

function parseAtom(tokens: readonly Token[], from: number, depth: number): Part {
  const token = at(tokens, from);
  if (token.type === 'name') {
    return { type: 'ok', expression: { type: 'name', name: token.text, offset: token.offset }, next: from + 1 };
  }
  if (token.type !== '(') return bad(token.offset, strange(token, 'the name of a class'));
  if (depth >= DEEPEST) return bad(token.offset, `parentheses are nested deeper than ${DEEPEST}; use fewer`);
  const inner = parseOr(tokens, from + 1, depth + 1);
  if (inner.type === 'bad') return inner;
  const close = at(tokens, inner.next);
  if (close.type !== ')') return bad(close.offset, strange(close, 'an operator or `)`'));
  return { type: 'ok', expression: inner.expression, next: inner.next + 1 };
}

const bad = (offset: number, problem: string): { type: 'bad'; offset: number; problem: string } => ({
  type: 'bad',
  offset,
  problem,
});

function strange(found: Token, wanted: string): string {
  if (found.type === 'end') return `the class expression ends where ${wanted} would stand`;
  if (found.type === 'stranger') {
    return `found \`${found.text}\` in a class expression; names are of letters, digits and _, operators are . & | ! ( )`;
  }
  return `found \`${found.text}\` where ${wanted} would stand`;
}

const at = (tokens: readonly Token[], index: number): Token =>
  tokens[Math.min(index, tokens.length - 1)] ?? { type: 'end', text: '', offset: 0 };

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(/[A-Za-z0-9_]+|&&?|\.|\|\|?|!|\(|\)|[^\s]/gu)) {
    tokens.push({ type: typeOf(match[0]), text: match[0], offset: match.index });
  }
  tokens.push({ type: 'end', text: '', offset: text.length });
  return tokens;
}

function typeOf(text: string): Token['type'] {
  if (isClassName(text)) return 'name';
  if (text === '&' || text === '&&' || text === '.') return 'and';
  if (text === '|' || text === '||') return 'or';
  if (text === '!') return 'not';
  return text === '(' || text === ')' ? text : 'stranger';
}
