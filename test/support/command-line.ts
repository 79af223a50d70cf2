// The command line as a person meets it: a command is typed where a fake keeper answers, or none, and what it said is kept.
// Keepers are closed after the test. Knows no command.

import { afterEach } from 'vitest';
import type { CliPorts } from '../../src/cli/ports.js';
import { runCli } from '../../src/cli/program.js';
import { FakeKeeper, type FakeOptions } from './fake-keeper.js';
import { type FakeTerminal, type FakeTerminalOptions, fakePorts, fakeTerminal } from './fake-terminal.js';

const keepers: FakeKeeper[] = [];

afterEach(() => {
  for (const keeper of keepers.splice(0)) keeper.close();
});

/** One that answers. */
export async function openKeeper(options: FakeOptions = {}): Promise<FakeKeeper> {
  const keeper = new FakeKeeper(options);
  keepers.push(keeper);
  await keeper.listen();
  return keeper;
}

export interface TypeOptions extends FakeTerminalOptions {
  readonly ports?: Partial<CliPorts>;
}

export interface Begun {
  readonly ended: Promise<number>;
  readonly terminal: FakeTerminal;
}

/** Types a command: its words, or what stands behind `upkeep`. `keeper`: who keeps there; null: nobody. */
export function begin(
  command: string | readonly string[],
  keeper: FakeKeeper | null,
  { ports, ...options }: TypeOptions = {},
): Begun {
  const env = { UPKEEP_RUNTIME_DIR: keeper?.directory ?? '/nonexistent', ...options.env };
  const terminal = fakeTerminal({ ...options, env });
  const words = typeof command === 'string' ? command.split(' ').filter((word) => word !== '') : command;
  return { ended: runCli(words, fakePorts(terminal, ports)), terminal };
}

/** The same, to its end. */
export async function runCommand(
  ...typed: Parameters<typeof begin>
): Promise<{ readonly code: number; readonly terminal: FakeTerminal }> {
  const { ended, terminal } = begin(...typed);
  return { code: await ended, terminal };
}
