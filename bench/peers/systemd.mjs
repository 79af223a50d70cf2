// systemd: a real one as PID 1 of namespaces of its own (systemd.sh), booted to a target with the journal and
// nothing else. RestartSec=0, the least it can wait.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childrenOf, innermostPid } from '../processes.mjs';
import { end, findProgram, launch, packageVersion, run } from '../programs.mjs';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'systemd.sh');
const HARDENED = 'User=nobody\nLimitNOFILE=1024\nNoNewPrivileges=yes\n';

/** Two of these say when they are ready, by sd_notify: the file descriptor of the others systemd does not know. */
function unit({ kind, command, needs = [] }) {
  const others = needs.map((name) => `${name}.service`).join(' ');
  const saysReady = kind === 'level' || kind === 'layered';
  return `[Unit]
StartLimitIntervalSec=0
${others === '' ? '' : `Requires=${others}\nAfter=${others}\n`}[Service]
ExecStart=${command.join(' ')}${saysReady ? ' =' : ''}
Restart=always
RestartSec=0
${saysReady ? 'Type=notify\n' : ''}${kind === 'hardened' ? HARDENED : ''}`;
}

class Keeper {
  #place;
  #child = null;
  #pid = null;

  constructor(place) {
    this.#place = place;
  }

  /** `others`: units as they are, by name. Boots: what a machine with systemd has already done before anybody starts a service. */
  async prepare(services, others = {}) {
    const root = join(this.#place.run, 'root');
    mkdirSync(root);
    this.#child = launch(['/bin/bash', SCRIPT, root, this.#place.name], join(this.#place.disk, 'log'));
    await this.#booted();
    const units = `/proc/${this.#pid}/root/run/systemd/system`;
    mkdirSync(units, { recursive: true });
    for (const service of services) writeFileSync(join(units, `${service.name}.service`), unit(service));
    for (const [name, text] of Object.entries(others)) writeFileSync(join(units, name), text);
    const wants = services.map((service) => `Wants=${service.name}.service\n`).join('');
    writeFileSync(join(units, 'bench.target'), `[Unit]\n${wants}`);
    this.systemctl('daemon-reload');
  }

  async #booted() {
    const deadline = Date.now() + 30_000;
    for (;;) {
      // The script becomes unshare; its child, PID 1 of the namespace, becomes systemd.
      const pid = childrenOf(this.#child.pid)[0];
      if (pid !== undefined && existsSync(`/proc/${pid}/root/run/systemd/private`)) {
        if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'systemd') {
          this.#pid = pid;
          return;
        }
      }
      if (Date.now() > deadline) throw new Error(`systemd has not booted; see ${join(this.#place.disk, 'log')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  systemctl(...words) {
    run(['nsenter', '-t', String(this.#pid), '-m', '-p', '-u', '-i', '-C', 'systemctl', ...words]);
  }

  launch() {
    this.systemctl('start', '--no-block', 'bench.target');
    return this.#child;
  }

  /** A stamp tells the number inside of systemd's namespace. */
  pidOf(stamp) {
    return childrenOf(this.#pid).find((pid) => innermostPid(pid) === stamp.pid) ?? null;
  }

  /** PID 1 alone; the journal beside it is left out, in its favour. */
  processes() {
    return [this.#pid];
  }

  async stop() {
    // Its namespaces end with it. Asking it to power off would take longer and measures nothing.
    process.kill(this.#pid, 'SIGKILL');
    await end(this.#child, 'SIGCONT');
  }
}

export const systemd = {
  name: 'systemd',
  packages: ['systemd'],
  kinds: ['plain', 'hardened', 'level', 'layered'],
  missing: () => (findProgram('/lib/systemd/systemd') ? null : 'systemd is not installed'),
  version: () => packageVersion('systemd'),
  Keeper,
};
