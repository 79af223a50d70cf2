// Debian's web servers in the sandbox as those who can be replaced without a lost request: what each is given, how it is run, and
// who of its processes is its main one. Each answers {"pid": …} with the process that served. Knows nothing of Upkeep but the keys of a service.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { processes, type Seen, until } from './sandbox-machine.js';

const AT = '/opt/servers';
const ports = { gunicorn: 8101, unicorn: 8102, nginx: 8103, haproxy: 8104, passed: 8110 } as const;

const GUNICORN = `/usr/bin/gunicorn --chdir ${AT} --workers 2 app:app`;
const UNICORN = `/usr/bin/unicorn -c ${AT}/unicorn.rb ${AT}/config.ru`;
const nginx = (conf: string): string => `/usr/sbin/nginx -c ${AT}/${conf}`;

/** One that starts its own successor at SIGUSR2, and ends when it is told to. */
export interface Replacing {
  readonly name: string;
  readonly port: number;
  /** As keys of a service. */
  readonly service: string;
  readonly end: NodeJS.Signals;
}

export const REPLACING: readonly Replacing[] = [
  {
    name: 'gunicorn',
    port: ports.gunicorn,
    service: `run: ${GUNICORN} --bind 127.0.0.1:${ports.gunicorn} --pid /run/gunicorn.pid, ready: notify, handover: { pidFile: /run/gunicorn.pid }`,
    end: 'SIGTERM',
  },
  {
    name: 'unicorn',
    port: ports.unicorn,
    service: `run: ${UNICORN}, stop: SIGQUIT, handover: { pidFile: /run/unicorn.pid }`,
    end: 'SIGQUIT',
  },
  {
    name: 'nginx',
    port: ports.nginx,
    service: `watch: { exe: /usr/sbin/nginx, pidFile: /run/nginx.pid }, start: ${nginx('nginx.conf')}, leftovers: kill, stop: SIGQUIT`,
    end: 'SIGQUIT',
  },
];

/** One that takes the socket that it is passed. */
export interface Taking {
  readonly name: string;
  readonly port: number;
  readonly service: string;
}

const passed: Readonly<Record<string, string>> = {
  'gunicorn-passed': `run: ${GUNICORN}, ready: notify`,
  'nginx-passed': `run: "${nginx('nginx-passed.conf')} -g 'daemon off;'", env: { NGINX: "3;" }, stop: SIGQUIT`,
  'puma-passed': `run: /usr/bin/puma -C ${AT}/puma.rb -b tcp://127.0.0.1:PORT ${AT}/config.ru, ready: notify`,
  // Knows nothing but LISTEN_FDS, READY=1 and SIGTERM.
  'python-passed': `run: /usr/bin/python3 ${AT}/server.py, ready: notify`,
};

export const TAKING: readonly Taking[] = Object.entries(passed).map(([name, service], index) => {
  const port = ports.passed + index;
  const sockets = `sockets: { http: "127.0.0.1:${port}" }, handover: overlap`;
  return { name, port, service: `${service.replace('PORT', String(port))}, ${sockets}` };
});

export const HAPROXY = {
  name: 'haproxy',
  port: ports.haproxy,
  service: `run: /usr/sbin/haproxy -Ws -f ${AT}/haproxy.cfg, ready: notify, reload: SIGUSR2`,
} as const;

const nginxConf = (name: string, port: number): string => `worker_processes 2;
pid /run/${name}.pid;
error_log /dev/null;
events { worker_connections 256; }
http {
  access_log off;
  default_type application/json;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 '{"pid": $pid}'; }
  }
}
`;

const FILES: Readonly<Record<string, string>> = {
  'app.py': `import os
def app(environ, start_response):
    body = b'{"pid": %d}' % os.getpid()
    start_response('200 OK', [('Content-Type', 'application/json'), ('Content-Length', str(len(body)))])
    return [body]
`,
  'config.ru': `run lambda { |_| body = %({"pid": #{$$}}); [200, { "Content-Length" => body.bytesize.to_s }, [body]] }
`,
  'unicorn.rb': `worker_processes 2
listen "127.0.0.1:${ports.unicorn}"
pid "/run/unicorn.pid"
`,
  'nginx.conf': nginxConf('nginx', ports.nginx),
  'nginx-passed.conf': nginxConf('nginx-passed', ports.passed + 1),
  'puma.rb': `workers 2
queue_requests false
`,
  'haproxy.cfg': `defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend web
  bind 127.0.0.1:${ports.haproxy}
  http-request return status 200 content-type application/json lf-string '{"pid": %pid}'
`,
  'server.py': `import http.server, os, signal, socket, threading
from sdnotify import SystemdNotifier

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"pid": %d}' % os.getpid()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(('127.0.0.1', 0), Answer, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.socket.setblocking(False)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
SystemdNotifier().notify('READY=1')
server.serve_forever(0.05)
`,
};

export function furnish(): void {
  mkdirSync(AT, { recursive: true });
  chmodSync(AT, 0o755);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(`${AT}/${name}`, text, { mode: 0o644 });
}

const childrenOf = (pid: number): readonly Seen[] => processes().filter(({ ppid }) => ppid === pid);

/** The child of this main process that has workers of its own, once they are there. */
export const successorOf = (main: number): Promise<number> =>
  until(
    `${main} has started a successor with workers`,
    () => childrenOf(main).find(({ pid }) => childrenOf(pid).length > 1)?.pid,
  );
