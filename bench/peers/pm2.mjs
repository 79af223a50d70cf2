// pm2: a daemon in Node, told by its command what to start. From npm, since Debian has none.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepersOwn } from '../processes.mjs';
import { launch, run } from '../programs.mjs';

let npmPlace = null;
const program = () => join(npmPlace, 'node_modules/pm2/bin/pm2');

class Keeper {
  #place;
  #file;
  #env;

  constructor(place) {
    this.#place = place;
    this.#file = join(place.disk, 'ecosystem.config.cjs');
    this.#env = {
      ...process.env,
      PM2_HOME: join(place.disk, 'pm2'),
      PM2_DISABLE_VERSION_CHECK: 'true',
    };
  }

  async prepare(services) {
    const apps = services.map((service) => ({
      name: service.name,
      script: service.command[0],
      args: service.command.slice(1),
      interpreter: 'none',
      autorestart: true,
      max_restarts: 1_000_000,
      pmx: false,
      vizion: false, // looks for a repository beside each program: not what is measured
      ...(service.app && { interpreter: 'node', args: [], ...service.app }),
    }));
    writeFileSync(this.#file, `module.exports = ${JSON.stringify({ apps })};\n`);
  }

  launch() {
    return launch([this.#place.node, program(), 'start', this.#file], join(this.#place.disk, 'log'), this.#env);
  }

  /** One of its commands. @returns {string | null} what it complained of */
  complaintOf(...words) {
    try {
      run([this.#place.node, program(), ...words], this.#env);
      return null;
    } catch (error) {
      return error.message.trim().split('\n').at(-1);
    }
  }

  pidOf(stamp) {
    return stamp.pid;
  }

  processes() {
    const file = join(this.#place.disk, 'pm2/pm2.pid');
    return existsSync(file) ? keepersOwn(Number(readFileSync(file, 'utf8'))) : [];
  }

  async stop() {
    run([this.#place.node, program(), 'kill'], this.#env);
  }
}

export const pm2 = {
  name: 'pm2',
  runsInNode: true,
  npm: ['pm2@6'],
  kinds: ['plain'],
  /** @param {{npmPlace: string | null}} options */
  missing: (options) => {
    npmPlace = options.npmPlace;
    return npmPlace !== null && existsSync(program()) ? null : 'npm could not fetch pm2';
  },
  version: () => JSON.parse(readFileSync(join(npmPlace, 'node_modules/pm2/package.json'), 'utf8')).version,
  Keeper,
};
