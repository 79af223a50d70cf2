// daemontools: svscan over a directory of services, one supervise each.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { keepersOwn } from '../processes.mjs';
import { end, findProgram, launch, packageVersion, run } from '../programs.mjs';
import { writeRunScript } from '../run-script.mjs';

class Keeper {
  #place;
  #child = null;
  #directories = [];

  constructor(place) {
    this.#place = place;
  }

  async prepare(services) {
    for (const service of services) {
      const directory = join(this.#place.run, 'service', service.name);
      mkdirSync(directory, { recursive: true });
      writeRunScript(join(directory, 'run'), service, this.#place.fifo);
      this.#directories.push(directory);
    }
  }

  launch() {
    this.#child = launch(['svscan', join(this.#place.run, 'service')], join(this.#place.disk, 'log'));
    return this.#child;
  }

  pidOf(stamp) {
    return stamp.pid;
  }

  processes() {
    return keepersOwn(this.#child.pid);
  }

  async stop() {
    // svscan has no way to be ended with its services: first it, so that nothing comes back, then svc to each.
    await end(this.#child, 'SIGTERM');
    run(['svc', '-dx', ...this.#directories]);
    rmSync(join(this.#place.run, 'service'), { recursive: true, force: true });
  }
}

export const daemontools = {
  name: 'daemontools',
  packages: ['daemontools'],
  kinds: ['plain', 'shell'],
  missing: () => (findProgram('/usr/bin/svscan') ? null : 'svscan is not installed'),
  version: () => packageVersion('daemontools'),
  Keeper,
};
