// monit: looks at pid files once a cycle, of one second here, the shortest that it has.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepersOwn } from '../processes.mjs';
import { end, findProgram, launch, packageVersion } from '../programs.mjs';

class Keeper {
  #place;
  #child = null;
  #file;

  constructor(place) {
    this.#place = place;
    this.#file = join(place.disk, 'monitrc');
  }

  async prepare(services) {
    const checks = services.map(
      (service) =>
        `check process ${service.name} with pidfile ${service.pidFile}\n  start program = "${service.command.join(' ')}"\n`,
    );
    writeFileSync(
      this.#file,
      [
        'set daemon 1',
        `set log ${join(this.#place.disk, 'monit.log')}`,
        `set pidfile ${join(this.#place.run, 'monit.pid')}`,
        `set idfile ${join(this.#place.disk, 'id')}`,
        `set statefile ${join(this.#place.disk, 'state')}`,
        '',
        ...checks,
      ].join('\n'),
    );
    chmodSync(this.#file, 0o600);
  }

  launch() {
    this.#child = launch(['monit', '-I', '-c', this.#file], join(this.#place.disk, 'log'));
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

export const monit = {
  name: 'monit',
  packages: ['monit'],
  kinds: ['pidFile'],
  missing: () => (findProgram('/usr/bin/monit') ? null : 'monit is not installed'),
  version: () => packageVersion('monit'),
  Keeper,
};
