// A web that is restarted, and what its restarters have in common: where the program lies, how one waits for something, who can be asked
// at a shell. Owns the one that Upkeep keeps.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { statusAt } from './control-socket.mjs';
import { copyNode, makePlace, RUN } from './place.mjs';
import { isAlive } from './processes.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const CLIENT = join(ROOT, 'clients/node');
const PATIENCE_MS = 60_000;
const FIRST_PORT = 20_300;

export const SERVER = join(RUN, 'graceful-server.mjs');
export const AUTO = join(RUN, 'client/dist/auto.js');

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

let ports = FIRST_PORT;
/** Of two that follow one another, for who needs another one behind. */
export function nextPort() {
  ports += 2;
  return ports;
}

/** Of a file that may not be there yet. */
export const linesOf = (file) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);

/** Where every peer finds them, also in namespaces of its own. */
export function layOutPrograms() {
  if (existsSync(AUTO)) return;
  copyFileSync(join(HERE, 'graceful-server.mjs'), SERVER);
  mkdirSync(join(RUN, 'client'));
  copyFileSync(join(CLIENT, 'package.json'), join(RUN, 'client/package.json'));
  cpSync(join(CLIENT, 'dist'), join(RUN, 'client/dist'), { recursive: true });
}

export const hasClient = () => existsSync(join(CLIENT, 'dist/auto.js'));

/** @returns {Promise<boolean>} whether it came to be so */
export async function until(isMet, millis = PATIENCE_MS) {
  for (const deadline = Date.now() + millis; Date.now() < deadline; await sleep(10)) if (await isMet()) return true;
  return false;
}

export const answersAt = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });

const lastLine = ({ stderr, stdout, error }) => (error?.message ?? (stderr || stdout)).trim().split('\n').at(-1);

/** As somebody at a shell. The bench waits, and its load is a process of its own. @returns {string | null} what it complained of */
export function complaintOf([program, ...words], env = process.env) {
  const done = spawnSync(program, words, { encoding: 'utf8', env, timeout: PATIENCE_MS });
  return done.status === 0 ? null : lastLine(done);
}

/** One service in a keeper of Upkeep's, `web`, of which the settings are given. */
export class UpkeepWeb {
  #keeper;
  #env;
  #settings;
  #port;

  constructor(peer, ground, name, settings, port) {
    const place = makePlace(name, copyNode(ground.node, peer.name));
    this.#keeper = new peer.Keeper(place);
    this.#settings = settings;
    this.#port = port;
    this.socket = join(place.run, 'upkeep/control.sock');
    this.place = place;
    this.#env = { ...process.env, UPKEEP_RUNTIME_DIR: join(place.run, 'upkeep') };
  }

  get pid() {
    return this.#keeper.pid;
  }

  async up(env) {
    await this.#keeper.prepare([{ name: 'web', kind: 'given', settings: this.#settings }]);
    this.#keeper.launch(env);
    const isUp = async () =>
      (await this.web())?.state === 'running' && (this.#port === null || (await answersAt(this.#port)));
    return (await until(isUp)) ? null : `did not come up: ${(await this.web())?.state}`;
  }

  async web() {
    return (await statusAt(this.socket))?.services[0];
  }

  async restart() {
    const old = (await this.web()).process.pid;
    const problem = complaintOf([this.place.node, join(ROOT, 'bin/upkeep'), 'restart', 'web'], this.#env);
    if (problem !== null) return problem;
    return (await until(() => !isAlive(old))) ? null : `the old one (${old}) has not ended`;
  }

  down() {
    return this.#keeper.stop();
  }
}
