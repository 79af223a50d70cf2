// The operator's regular expressions, tried on what a stranger says: some patterns take longer than the universe for some texts
// (`(a+)+$`), and an asker that is busy with one asks nobody else. Each is given a moment, and no more.

import { createContext, Script } from 'node:vm';
import type { RegexText } from '../core/question.js';
import { Verdict } from './judge.js';
import { unasked } from './kind.js';

/** In ms. A pattern that goes through its 64 KiB once takes one. */
const MOMENT = 100;

/** Only there V8 ends what takes too long. */
const world: { pattern: string; text: string } = { pattern: '', text: '' };
const context = createContext(world);
const script = new Script('RegExp(pattern, "u").exec(text)?.[0] ?? null');

/** What matches first; null: nothing does. @throws Verdict: the pattern takes too long to say, so that it says nothing */
export function firstMatch(pattern: RegexText, text: string): string | null {
  Object.assign(world, { pattern, text });
  try {
    return script.runInContext(context, { timeout: MOMENT });
  } catch {
    throw new Verdict(unasked(`/${pattern}/ takes too long for what came; write a simpler expression`));
  } finally {
    Object.assign(world, { text: '' });
  }
}

export const isMatch = (pattern: RegexText, text: string): boolean => firstMatch(pattern, text) !== null;
