// s6: s6-svscan over a scan directory, one s6-supervise each.
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
    // -c: the highest number of services, 500 by default.
    this.#child = launch(['s6-svscan', '-c', '2000', join(this.#place.run, 'service')], join(this.#place.disk, 'log'));
    return this.#child;
  }

  pidOf(stamp) {
    return stamp.pid;
  }

  processes() {
    return keepersOwn(this.#child.pid);
  }

  async stop() {
    await end(this.#child, 'SIGTERM');
  }
}

export const s6 = {
  name: 's6',
  packages: ['s6'],
  kinds: ['plain', 'shell'],
  missing: () => (findProgram('/usr/bin/s6-svscan', '/bin/s6-svscan') ? null : 's6-svscan is not installed'),
  version: () => packageVersion('s6'),
  Keeper,
};
