// What heartbeats ask in the bench, a process of its own so that its cost is nobody's: answers every GET at once with 200, save
// those below /hang/, which never get an answer, and remembers when each came in. Spoken to over the channel of fork().
import { createServer } from 'node:net';
import { constants, setPriority } from 'node:os';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n';

/** When each path was asked for, in milliseconds of the wall clock. */
let arrivals = new Map();

// Asked late must not look like heard late.
try {
  setPriority(constants.priority.PRIORITY_HIGHEST);
} catch {
  // Then the delays have its own in them.
}

const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (bytes) => {
    const at = performance.timeOrigin + performance.now();
    const path = bytes.toString('latin1').split(' ', 2)[1];
    const known = arrivals.get(path);
    if (known === undefined) arrivals.set(path, [at]);
    else known.push(at);
    if (path.startsWith('/hang/')) return;
    socket.end(ANSWER);
    socket.resume();
  });
});

process.on('message', () => {
  process.send(Object.fromEntries(arrivals));
  arrivals = new Map();
});
process.once('disconnect', () => process.exit());
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => process.send({ port: server.address().port }));
