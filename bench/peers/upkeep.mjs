// Upkeep, by its command alone, as any user would start it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepersOwn } from '../processes.mjs';
import { end, launch } from '../programs.mjs';

const BENCH = dirname(dirname(fileURLToPath(import.meta.url)));
const ROOT = dirname(BENCH);

function settings(service) {
  // As RestartSec=0: nothing but the death itself decides when it comes back, however often it is killed here.
  const restart = { delay: '0s', limit: 'none' };
  switch (service.kind) {
    case 'pidFile':
      return { watch: { pidFile: service.pidFile }, start: service.command, restart };
    case 'exe':
      return { watch: { exe: service.command[0] }, start: service.command, restart };
    case 'hardened':
      return { run: service.command, user: 'nobody', limits: { nofile: 1024 }, noNewPrivileges: true, restart };
    case 'level':
    case 'layered':
      return { run: [...service.command, '=3'], ready: { fd: 3 }, needs: service.needs, restart };
    case 'ring': {
      const { socket, coupling } = service;
      return { run: [...service.command, `=${socket}`], ready: { socket }, clean: [socket], ...coupling, restart };
    }
    case 'notify':
      return { run: [...service.command, '='], ready: 'notify', restart };
    case 'socket':
    case 'path':
      return { run: service.command, sockets: { own: service.socket }, restart };
    case 'held':
      return { run: [...service.command, '='], ready: 'notify', sockets: { own: service.socket }, restart };
    case 'given':
      return { restart, ...service.settings };
    default: {
      const { command: run, heartbeat, stop } = service;
      return { run, restart, ...(heartbeat && { heartbeat }), ...(stop && { stop }) };
    }
  }
}

class Keeper {
  /** Set before prepare(): its process is then the guard's. */
  isGuarded = false;
  /** Set before prepare(): what else its configuration says. */
  more = {};
  #place;
  #child = null;
  #file;

  constructor(place) {
    this.#place = place;
    this.#file = join(place.disk, 'upkeep.yaml');
  }

  async prepare(services) {
    const all = Object.fromEntries(services.map((service) => [service.name, settings(service)]));
    writeFileSync(this.#file, JSON.stringify({ ...this.#own(), ...this.more, services: all }, null, 1)); // JSON is YAML
  }

  #own() {
    return this.isGuarded ? { keeper: { guard: true } } : {};
  }

  get pid() {
    return this.#child.pid;
  }

  /** @param {NodeJS.ProcessEnv} [env] for the hook */
  launch(env = {}) {
    this.#child = launch(
      [this.#place.node, join(ROOT, 'bin/upkeep'), 'run', '--config', this.#file],
      join(this.#place.run, 'keeper.log'), // not on the disk that a measurement may freeze
      {
        ...process.env,
        UPKEEP_RUNTIME_DIR: join(this.#place.run, 'upkeep'),
        UPKEEP_STATE_DIR: join(this.#place.disk, 'state'),
        UPKEEP_LOG_DIR: join(this.#place.disk, 'logs'),
        NODE_OPTIONS: `--require=${join(BENCH, 'hook.cjs')}`,
        ...env,
      },
    );
    return this.#child;
  }

  pidOf(stamp) {
    return stamp.pid;
  }

  processes() {
    return keepersOwn(this.#child.pid);
  }

  /** A full garbage collection, by the hook that was loaded for it. */
  collect() {
    this.#child.kill('SIGPWR');
  }

  tellDelays() {
    this.#child.kill('SIGURG');
  }

  async stop() {
    await end(this.#child, 'SIGTERM', 60_000);
  }
}

export const upkeep = {
  name: 'upkeep',
  runsInNode: true,
  kinds: ['plain', 'hardened', 'pidFile', 'exe', 'level', 'layered'],
  missing: () => (existsSync(join(ROOT, 'dist/main.js')) ? null : 'dist/main.js is missing: npm run build'),
  version: () => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version,
  Keeper,
};
