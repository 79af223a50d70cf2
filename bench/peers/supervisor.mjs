// supervisor: one supervisord with a section for each program.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepersOwn } from '../processes.mjs';
import { end, findProgram, launch, packageVersion } from '../programs.mjs';

class Keeper {
  #place;
  #child = null;
  #file;

  constructor(place) {
    this.#place = place;
    this.#file = join(place.disk, 'supervisord.conf');
  }

  async prepare(services) {
    const programs = services.map(
      (service) => `[program:${service.name}]\ncommand=${service.command.join(' ')}\nautorestart=true\n`,
    );
    writeFileSync(
      this.#file,
      [
        '[supervisord]',
        'nodaemon=true',
        'user=root',
        'minfds=20000', // four for each program: its output pipes
        `logfile=${join(this.#place.disk, 'supervisord.log')}`,
        `pidfile=${join(this.#place.run, 'supervisord.pid')}`,
        `childlogdir=${this.#place.disk}`,
        '',
        ...programs,
      ].join('\n'),
    );
  }

  launch() {
    this.#child = launch(['supervisord', '-c', this.#file], join(this.#place.disk, 'log'));
    return this.#child;
  }

  pidOf(stamp) {
    return stamp.pid;
  }

  processes() {
    return keepersOwn(this.#child.pid);
  }

  async stop() {
    await end(this.#child, 'SIGTERM', 60_000);
  }
}

export const supervisor = {
  name: 'supervisor',
  packages: ['supervisor'],
  kinds: ['plain'],
  missing: () => (findProgram('/usr/bin/supervisord') ? null : 'supervisord is not installed'),
  version: () => packageVersion('supervisor'),
  Keeper,
};
