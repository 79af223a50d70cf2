// `npm start`: a keeper for trying out, in the foreground, without root, in a place of its own.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from './build.mjs';
import { setup } from './setup.mjs';

// sun_path holds 108 bytes with its terminating zero (unix(7)); a deep checkout leaves no room for the socket.
const LONGEST_SOCKET = 107;

setup();

const home = makeHome();
const environment = {
  UPKEEP_CONFIG: join(ROOT, 'examples/quick-start.yaml'),
  UPKEEP_RUNTIME_DIR: join(home, 'run'),
  UPKEEP_STATE_DIR: join(home, 'state'),
  UPKEEP_LOG_DIR: join(home, 'log'),
};
const command = writeCommand();
explain(relative(ROOT, command).startsWith('..') ? command : relative(ROOT, command));
keep();

function makeHome() {
  const beside = join(ROOT, '.quick-start');
  const fits = Buffer.byteLength(join(beside, 'run/control.sock')) <= LONGEST_SOCKET;
  const folder = fits ? beside : mkdtempSync(join(tmpdir(), 'upkeep-'));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A command for the second terminal that talks to this keeper, with nothing to export first. */
function writeCommand() {
  const file = join(home, 'upkeep');
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  const program = `exec ${quote(process.execPath)} ${quote(join(ROOT, 'bin/upkeep'))} "$@"`;
  writeFileSync(
    file,
    `#!/bin/sh\n# Made by npm start: upkeep, talking to the keeper of the quick start.\n${lines.join('\n')}\n${program}\n`,
  );
  chmodSync(file, 0o755);
  return file;
}

function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function explain(upkeep) {
  const tries = [
    [`${upkeep} status`, 'what runs, and what comes next'],
    ['curl http://127.0.0.1:8099/', 'one of the services, a web server; it tells its pid'],
    [`${upkeep} signal web SIGKILL`, 'kill it, and ask again: a new pid'],
    [`${upkeep} signal web SIGSTOP`, 'make it hang: its heartbeat finds that out in some seconds'],
    [`${upkeep} status web`, 'the card of one service, with its last death'],
    [`${upkeep} logs -f ticker`, 'follow what a service prints (Ctrl-C ends it)'],
    [`${upkeep} status flaky`, 'it fails again and again: why, and when the next try is'],
    [`${upkeep} stop ticker`, 'stop one; start brings it back'],
  ];
  const width = Math.max(...tries.map(([line]) => line.length)) + 3;
  console.log('\nA keeper starts here with three services (examples/quick-start.yaml). In a second terminal:\n');
  console.log(`  cd ${quote(ROOT)}`);
  for (const [line, what] of tries) console.log(`  ${line.padEnd(width)}${what}`);
  console.log('\nCtrl-C here stops the services and the keeper.\n');
}

/**
 * The keeper leads a session of its own, so that a Ctrl-C reaches it once, from here, and not a
 * second time from the terminal. When the terminal goes (SIGHUP) it is told to end: to a keeper
 * SIGHUP itself means "apply".
 */
function keep() {
  const keeper = spawn(process.execPath, [join(ROOT, 'bin/upkeep'), 'run', '--config', environment.UPKEEP_CONFIG], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: 'inherit',
    detached: true,
  });
  let lastInterrupt = Number.NEGATIVE_INFINITY;
  process.on('SIGINT', () => {
    // npm hands on the Ctrl-C that the terminal has already sent to us: the same one, a moment later.
    if (performance.now() - lastInterrupt < 500) return;
    lastInterrupt = performance.now();
    keeper.kill('SIGINT');
  });
  process.on('SIGTERM', () => keeper.kill('SIGTERM'));
  process.on('SIGHUP', () => keeper.kill('SIGTERM'));
  keeper.on('error', (error) => {
    console.error(`start: the keeper cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  keeper.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
