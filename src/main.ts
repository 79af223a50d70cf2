// The composition of the command: everything is imported when it is used, because `upkeep status` is to answer before a
// person notices that a program was started.

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { CliPorts } from './cli/ports.js';
import { holdSignals } from './daemon/early-signals.js';

/** Runs one command; resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  if (process.env.UPKEEP_INHERIT !== undefined) holdSignals();
  const [{ runCli }, { processTerminal }] = await Promise.all([
    import('./cli/program.js'),
    import('./cli/terminal.js'),
  ]);
  const version = ownVersion();
  const ports: CliPorts = {
    version,
    terminal: processTerminal(),
    runKeeper: async (options) => (await import('./daemon/daemon.js')).runDaemon(options, version),
    rehearseKeeper: async (options) => (await import('./daemon/rehearse.js')).rehearseKeeper(options),
    once: async (options) => (await import('./daemon/once.js')).lookOnce(options, version),
    match: async (pattern) => (await import('./daemon/match.js')).matchPattern(pattern),
    logs: async () => {
      const [{ readLogs }, { forTerminal }, { logPath }] = await Promise.all([
        import('./logs/read.js'),
        import('./logs/display.js'),
        import('./logs/log-files.js'),
      ]);
      return { read: readLogs, forTerminal, pathOf: logPath };
    },
    installer: async (places) => {
      const { installerFor } = await import('./daemon/installer.js');
      return installerFor(places, ports.terminal.who, userName());
    },
    whoKeeps: async (places) => (await import('./daemon/installer.js')).whoKeeps(places),
  };
  return runCli(argv, ports);
}

/** A user without an entry in the database has a number all the same. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 0);
  }
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version }: { readonly version: string } = JSON.parse(text);
  return version;
}
