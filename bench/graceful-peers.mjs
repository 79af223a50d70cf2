// Who restarts a web under load, and how: Upkeep in both ways, systemd with a socket unit, pm2, nginx, and a script that stops and starts.
// The program is the same Node server wherever one can be given. Each is `{name, what, missing(), make()}`; what it makes has up(),
// restart() (resolves when it is over, the old one's end included: null, or what went wrong) and down(). Measures nothing.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUTO, answersAt, complaintOf, hasClient, SERVER, UpkeepWeb, until } from './graceful-web.mjs';
import { copyNode, makePlace, RUN } from './place.mjs';
import { isAlive } from './processes.mjs';
import { end, findProgram, launch } from './programs.mjs';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

const webOf = (node, port, mode) => ({
  run: [node, '--import', AUTO, SERVER],
  sockets: { http: `127.0.0.1:${port}` },
  ready: 'notify',
  handover: mode,
  env: { PORT: String(port) },
});

const byUpkeep = (mode, what) => ({
  name: `upkeep, ${mode}`,
  peer: 'upkeep',
  what,
  missing: () => (hasClient() ? null : 'clients/node/dist is missing: npm run build'),
  make: ({ peers, ground, port }) => {
    const node = copyNode(ground.node, 'graceful');
    const peer = peers.find(({ name }) => name === 'upkeep');
    return new UpkeepWeb(peer, ground, `web-${mode}`, webOf(node, port, mode), port);
  },
});

class SystemdWeb {
  #keeper;
  #port;

  constructor(peer, place, node, port, ends) {
    this.#keeper = new peer.Keeper(place);
    this.#port = port;
    const [type, before] =
      ends === 'own'
        ? ['Environment=END=own', '']
        : [`Type=notify\nNotifyAccess=all\nEnvironment=PORT=${port}`, `--import ${AUTO} `];
    this.units = {
      'web.socket': `[Socket]\nListenStream=127.0.0.1:${port}\n`,
      'web.service': `[Unit]\nStartLimitIntervalSec=0\n[Service]\n${type}\nExecStart=${node} ${before}${SERVER}\n`,
    };
  }

  async up() {
    await this.#keeper.prepare([], this.units);
    this.#keeper.systemctl('start', 'web.socket', 'web.service');
    return (await until(() => answersAt(this.#port))) ? null : 'did not come up';
  }

  async restart() {
    this.#keeper.systemctl('restart', 'web.service');
    return null;
  }

  down() {
    return this.#keeper.stop();
  }
}

const bySystemd = (ends, what) => ({
  name: `systemd, socket activation, ${ends === 'own' ? 'server.close()' : 'the same drain'}`,
  peer: 'systemd',
  what,
  missing: () => (hasClient() ? null : 'clients/node/dist is missing: npm run build'),
  make: ({ peers, ground, port }) => {
    const peer = peers.find(({ name }) => name === 'systemd');
    const place = makePlace(`web-systemd-${ends}`, ground.node);
    return new SystemdWeb(peer, place, copyNode(ground.node, 'graceful'), port, ends);
  },
});

class Pm2Web {
  #keeper;
  #port;
  #app;

  constructor(peer, place, port) {
    this.#keeper = new peer.Keeper(place);
    this.#port = port;
    this.#app = {
      script: SERVER,
      instances: 2,
      exec_mode: 'cluster',
      wait_ready: true,
      kill_timeout: 4_000, // longer than the program's own patience
      env: { END: 'own', PORT: String(port) },
    };
  }

  async up() {
    await this.#keeper.prepare([{ name: 'web', app: this.#app, command: [SERVER] }]);
    this.#keeper.launch();
    return (await until(() => answersAt(this.#port))) ? null : 'did not come up';
  }

  async restart() {
    return this.#keeper.complaintOf('reload', 'web');
  }

  down() {
    return this.#keeper.stop();
  }
}

/** Of a program that runs by itself: no keeper, only somebody who stops and starts it. */
class ScriptedWeb {
  #argv;
  #port;
  #child = null;

  constructor(node, port) {
    this.#argv = [node, SERVER];
    this.#port = port;
  }

  async up() {
    this.#child = launch(this.#argv, join(RUN, 'scripted.log'), {
      ...process.env,
      END: 'own',
      PORT: String(this.#port),
    });
    return (await until(() => answersAt(this.#port))) ? null : 'did not come up';
  }

  async restart() {
    await this.down();
    return this.up();
  }

  down() {
    return end(this.#child, 'SIGTERM');
  }
}

/** nginx before a server that is not restarted: what is measured is nginx's own change of binary. */
class NginxWeb {
  #place;
  #port;
  #behind;

  constructor(place, node, port) {
    this.#place = place;
    this.#port = port;
    this.#behind = new ScriptedWeb(node, port + 1);
  }

  get #pidFile() {
    return join(this.#place.run, 'nginx.pid');
  }

  /** Null while one of them renames or writes the file. */
  #pid() {
    try {
      return Number(readFileSync(this.#pidFile, 'utf8')) || null;
    } catch {
      return null;
    }
  }

  async up() {
    const file = join(this.#place.disk, 'nginx.conf');
    writeFileSync(
      file,
      `user root;
worker_processes 2;
pid ${this.#pidFile};
error_log ${join(this.#place.disk, 'error.log')};
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000;
  upstream behind { server 127.0.0.1:${this.#port + 1}; keepalive 100; }
  server {
    listen 127.0.0.1:${this.#port};
    location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
    );
    const problem = (await this.#behind.up()) ?? complaintOf(['/usr/sbin/nginx', '-c', file]);
    if (problem !== null) return problem;
    return (await until(() => answersAt(this.#port))) ? null : 'did not come up';
  }

  /** As its manual has it: USR2, and when the new one is there QUIT to the old one. */
  async restart() {
    const old = this.#pid();
    process.kill(old, 'SIGUSR2');
    const isThere = () => this.#pid() !== null && this.#pid() !== old && existsSync(`${this.#pidFile}.oldbin`);
    if (!(await until(isThere))) return 'no new one came';
    await sleep(100); // its workers; nobody says when they are there
    process.kill(old, 'SIGQUIT');
    return (await until(() => !isAlive(old))) ? null : 'the old one has not ended';
  }

  async down() {
    const pid = this.#pid();
    if (pid !== null) process.kill(pid, 'SIGTERM');
    await until(() => pid === null || !isAlive(pid));
    await this.#behind.down();
  }
}

export const RESTARTERS = [
  byUpkeep('overlap', '`upkeep restart`, `@upkeep/service/auto`'),
  byUpkeep('replace', '`upkeep restart`, held socket, `@upkeep/service/auto`'),
  bySystemd('auto', '`systemctl restart`, socket unit, `@upkeep/service/auto`, Type=notify'),
  bySystemd('own', '`systemctl restart`, socket unit, server.close() and a deadline of 3 s'),
  {
    name: 'pm2 reload',
    peer: 'pm2',
    what: 'cluster of 2, wait_ready, server.close() and a deadline of 3 s',
    missing: () => null,
    make: ({ peers, ground, port }) => {
      const peer = peers.find(({ name }) => name === 'pm2');
      return new Pm2Web(peer, makePlace('web-pm2', copyNode(ground.node, 'pm2')), port);
    },
  },
  {
    name: 'nginx USR2, QUIT',
    peer: null,
    what: 'nginx as a proxy, 2 workers; the server behind it is not restarted',
    missing: () => (findProgram('/usr/sbin/nginx') ? null : 'nginx is not installed'),
    make: ({ ground, port }) =>
      new NginxWeb(makePlace('web-nginx', ground.node), copyNode(ground.node, 'graceful'), port),
  },
  {
    name: 'stop, then start',
    peer: null,
    what: 'a script, nobody holds the socket; server.close() and a deadline of 3 s',
    missing: () => null,
    make: ({ ground, port }) => new ScriptedWeb(copyNode(ground.node, 'graceful'), port),
  },
];
