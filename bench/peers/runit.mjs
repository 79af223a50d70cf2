// runit: runsvdir over a directory of services, one runsv each.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keepersOwn } from '../processes.mjs';
import { end, findProgram, launch, packageVersion } from '../programs.mjs';
import { writeRunScript } from '../run-script.mjs';

class Keeper {
  #place;
  #child = null;

  constructor(place) {
    this.#place = place;
  }

  async prepare(services) {
    for (const service of services) {
      const directory = join(this.#place.run, 'service', service.name);
      mkdirSync(directory, { recursive: true });
      writeRunScript(join(directory, 'run'), service, this.#place.fifo);
    }
  }

  launch() {
    this.#child = launch(['runsvdir', '-P', join(this.#place.run, 'service')], join(this.#place.disk, 'log'));
    return this.#child;
  }

  pidOf(stamp) {
    return stamp.pid;
  }

  processes() {
    return keepersOwn(this.#child.pid);
  }

  async stop() {
    // SIGHUP: runsvdir sends SIGTERM to each runsv, which ends its service, and goes.
    await end(this.#child, 'SIGHUP');
  }
}

export const runit = {
  name: 'runit',
  packages: ['runit'],
  kinds: ['plain', 'shell'],
  missing: () => (findProgram('/usr/bin/runsvdir') ? null : 'runsvdir is not installed'),
  version: () => packageVersion('runit'),
  Keeper,
};
