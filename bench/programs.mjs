// Starting and ending the keepers, and asking them for their version. Knows no peer.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';

/** Starts a keeper in a session of its own, its output into `log`. @returns {import('node:child_process').ChildProcess} */
export function launch(argv, log, env = process.env) {
  const out = openSync(log, 'a');
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', out, out], detached: true, env });
  child.on('error', (error) => process.stderr.write(`bench: ${argv[0]}: ${error.message}\n`));
  closeSync(out);
  return child;
}

/** Sends `signal` and waits for the end, at most `millis`; then SIGKILL. */
export async function end(child, signal, millis = 20_000) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const isEnded = await Promise.race([
    ended.then(() => true),
    new Promise((resolve) => setTimeout(() => resolve(false), millis).unref()),
  ]);
  if (!isEnded) {
    child.kill('SIGKILL');
    await ended;
  }
}

/** Runs to the end and returns stdout; throws with stderr where it failed. */
export function run(argv, env = process.env) {
  const done = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', env });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${argv.join(' ')}: exit ${done.status}: ${done.stderr.trim()}`);
  return done.stdout;
}

/** The first of these files that is there, or null. */
export function findProgram(...paths) {
  return paths.find((path) => existsSync(path)) ?? null;
}

/** Debian's version of a package. */
export function packageVersion(name) {
  return run(['dpkg-query', '-W', name]).trim().split('\t')[1];
}
