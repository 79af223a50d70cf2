// What was written on the command line, once commander has taken it apart: typed looks at the options of a verb.

import { parseDuration } from '../config/quantity.js';
import { usageError } from './exit.js';
import type { CliPorts } from './ports.js';

export interface Input {
  readonly verb: string;
  /** What is no option: names, files, a pattern. */
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** One command. Resolves to the exit code. */
export type Verb = (input: Input, ports: CliPorts) => Promise<number>;

export const hasFlag = ({ options }: Input, name: string): boolean => options[name] === true;

/** The value of an option; null when it was not given. */
export function textOf({ options }: Input, name: string): string | null {
  const value = options[name];
  return typeof value === 'string' ? value : null;
}

/** Milliseconds; null when it was not given, or is `none`. */
export function durationOf(input: Input, name: string): number | null {
  const text = textOf(input, name);
  if (text === null || text === 'none') return null;
  const parsed = parseDuration(text);
  if (parsed.type === 'bad') throw usageError(`--${name}: ${JSON.stringify(text)} ${parsed.problem}`);
  return parsed.value;
}

/** --system or --user; null: neither. */
export function whoseOf(input: Input): 'system' | 'user' | null {
  const [system, user] = [hasFlag(input, 'system'), hasFlag(input, 'user')];
  if (system && user) throw usageError('--system and --user contradict each other; give one of them');
  return system ? 'system' : user ? 'user' : null;
}
