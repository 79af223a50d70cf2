// A process that replaces its program by /bin/sh, or tries to replace it by what is not there:
//   node image-that-replaces-itself.mjs PROGRAM
import { spawn } from 'node:child_process';
import { openSync, readdirSync, readlinkSync } from 'node:fs';
import { replaceImage } from '../../dist/kernel/replace-image.js';
import { closeOnExec, fcntl } from '../../dist/kernel/syscalls.js';

const [, , program = '/bin/sh'] = process.argv;
const kept = openSync('/proc/version', 'r');
openSync('/proc/uptime', 'r');
closeOnExec(kept);
const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
process.on('SIGHUP', () => {});
// What the new program is: it says who it is, what it has, and whose child that is, and ends the child.
const script = `
echo "pid $$"; echo "args $0 $*"; echo "env $GREETING"
echo "files $(ls -l /proc/$$/fd | grep -o -E '/proc/(version|uptime)' | tr '\\n' ' ')"
echo "parent $(cut -d' ' -f4 /proc/${child.pid}/stat)"
kill ${child.pid}; wait ${child.pid}; kill -HUP $$`;
process.stdout.write(`was ${process.pid}\n`);
const failure = replaceImage({
  path: program,
  argv: ['sh', '-c', script, 'it', 'ä', 'b c'],
  env: { PATH: process.env.PATH, GREETING: 'grüß', NOTHING: undefined },
  keep: [kept],
});
const files = readdirSync('/proc/self/fd').filter((fd) => Number(fd) === kept);
console.log(
  `${failure.message}; ${files.length} kept, close-on-exec ${fcntl(kept, 1, 0)} ${readlinkSync(`/proc/self/fd/${kept}`)}`,
);
child.kill();
