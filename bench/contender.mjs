// One keeper with its services, brought up: what all measurements begin with.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { copyNode, isWatched, makePlace, makeServices } from './place.mjs';
import { isAlive } from './processes.mjs';
import { now } from './stamps.mjs';

export class Contender {
  /** @type {number} nanoseconds from the start of the keeper to the last service's first instruction */
  startTook = Number.NaN;
  /** @type {number} when the keeper was started */
  launchedAt = Number.NaN;
  #stamps;
  #isLaunched = false;

  /**
   * @param {{peer: object, kind: string, count: number, name: string, disk?: string}} what
   * @param {{stamps: import('./stamps.mjs').Stamps, isStatic: boolean, node: string}} ground what all of them share
   */
  constructor(what, ground) {
    this.peer = what.peer;
    this.kind = what.kind;
    this.label = what.kind;
    const node = what.peer.runsInNode ? copyNode(ground.node, what.peer.name) : ground.node;
    this.place = makePlace(what.name, node, what.disk);
    this.services = makeServices(this.place, what.kind, what.count, ground.isStatic);
    this.keeper = new what.peer.Keeper(this.place);
    this.#stamps = ground.stamps;
  }

  /** Starts it. @returns {Promise<string | null>} null, or why it did not get there within `millis` */
  async up(millis, env = undefined) {
    const names = this.services.map((service) => service.name);
    try {
      await this.keeper.prepare(this.services);
      this.launchedAt = now();
      this.#isLaunched = true;
      const child = this.keeper.launch(env);
      const seen = this.services.some(isWatched) ? this.#stamps.daemons : this.#stamps.started;
      // pm2's command ends well when it has told its daemon.
      const hasFailed = () => child.signalCode !== null || (child.exitCode ?? 0) !== 0;
      const isThere = () => names.every((name) => seen.has(name));
      child.once('exit', () => this.#stamps.look());
      await this.#stamps.until(() => isThere() || hasFailed(), millis);
      if (hasFailed()) return `ended at once: ${this.#lastWords()}`;
      if (!isThere())
        return `did not finish: ${names.filter((name) => seen.has(name)).length} of ${names.length} in ${millis / 1000} s`;
      this.startTook = Math.max(...names.map((name) => this.#stamps.started.get(name).at)) - this.launchedAt;
      return null;
    } catch (error) {
      return error.message;
    }
  }

  #lastWords() {
    for (const directory of [this.place.disk, this.place.run]) {
      for (const name of readdirSync(directory).filter((each) => each.endsWith('log'))) {
        const file = join(directory, name);
        const text = statSync(file).isFile() ? readFileSync(file, 'utf8').trim() : '';
        if (text !== '') return text.split('\n').at(-1);
      }
    }
    return 'without a word';
  }

  /** The process to kill, as numbered here; null where it cannot be found. */
  pidOf(service) {
    const stamp = (isWatched(service) ? this.#stamps.daemons : this.#stamps.started).get(service.name);
    return stamp === undefined ? null : isWatched(service) ? stamp.pid : this.keeper.pidOf(stamp);
  }

  /** Ends the keeper, then what it left (watched daemons belong to nobody). */
  async down() {
    const daemons = this.services.filter(isWatched).map((service) => this.pidOf(service));
    try {
      if (this.#isLaunched) await this.keeper.stop();
    } catch (error) {
      process.stderr.write(`bench: ${this.place.name}: ${error.message}\n`);
    }
    for (const pid of daemons) {
      if (pid !== null && isAlive(pid)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // it was quicker
        }
      }
    }
    this.#stamps.forget(this.services.map((service) => service.name));
  }
}
