// Starts what inherits --import: a thread, a forked child, a shell. None of them is the service.
import { execFileSync, fork } from 'node:child_process';
import { createServer } from 'node:http';
import { isMainThread, Worker } from 'node:worker_threads';

const inherited = () =>
  Object.keys(process.env).filter((name) => /^(LISTEN_|NOTIFY_SOCKET|UPKEEP_SUCCEEDS)/.test(name));
const state = () => `${process.listenerCount('SIGTERM')} handlers, inherits ${inherited().length}`;

if (!isMainThread) console.log(`thread: ${state()}`);
else if (process.argv[2] === 'child') console.log(`child: ${state()}`);
else {
  new Worker(new URL(import.meta.url));
  fork(new URL(import.meta.url), ['child']);
  const descriptors = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
  console.log('shell:', descriptors.replaceAll('\n', ' '));
  createServer((_request, response) => response.end('here')).listen(process.env.PORT, () => console.log('listens'));
}
