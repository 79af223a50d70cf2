// The disk thread's part in logs as a process of its own, so that a test can kill it at any instant:
//   node log-tender.mjs DIRECTORY SIZE KEEP COMPRESS [without-collapse]
// Tends every *.log in the directory and prints one line of JSON for each news.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { collapse } from '../../dist/kernel/disk-calls.js';
import { LogTender } from '../../dist/logs/tender.js';

const [directory, size, keep, compress, without] = process.argv.slice(2);
const calls = {
  collapse: without === 'without-collapse' ? () => 'EOPNOTSUPP' : collapse,
  sendToSyslog: () => {},
};
const tender = new LogTender(calls, (news) => console.log(JSON.stringify(news)));
for (const name of readdirSync(directory).filter((entry) => entry.endsWith('.log'))) {
  const service = name.slice(0, -'.log'.length);
  const rotate = { size: Number(size), keep: Number(keep), compress };
  const path = join(directory, name);
  tender.perform({ type: 'tend', key: name, lasts: 'standing', service, path, rotate, forward: 'no' });
}
console.log(JSON.stringify({ type: 'ready' }));
setInterval(() => {}, 1 << 30);
