// The load, a process of its own: clients that keep their connection, and clients that open one for each request. Each asks again a
// moment after its answer. What is refused or cut off counts, and is asked again until it is answered: the time of a request is that
// from its first attempt. Told `{port, kept, fresh, pause}` it begins, told 'end' it lets what is under way finish, and tells.
import { connect } from 'node:net';

const AGAIN_MS = 10;
/** Longer than any server here lets a client wait. */
const PATIENCE_MS = 20_000;

const took = [];
const counts = { lost: 0, refused: 0 };
const causes = new Map();
let life = 'goes on';
let clients = [];

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

function open(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => resolve({ socket }));
    socket.on('error', ({ code }) => resolve({ problem: code })); // for good: it may come at any time later
  });
}

/** @returns {Promise<'kept' | 'last' | string>} whether the connection is good for another one; or why there was no whole answer */
function exchange(socket, text) {
  return new Promise((resolve) => {
    let heard = '';
    const finish = (outcome) => {
      clearTimeout(late);
      socket.off('data', take).off('close', gone);
      resolve(outcome);
    };
    const late = setTimeout(() => finish('no answer in time'), PATIENCE_MS);
    const gone = () => finish(heard === '' ? 'cut off before the answer' : 'cut off within the answer');
    const take = (piece) => {
      heard += piece.toString('latin1');
      const end = heard.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = heard.slice(0, end).toLowerCase();
      if (heard.length - end - 4 < Number(/content-length: (\d+)/.exec(head)?.[1])) return;
      if (!head.startsWith('http/1.1 200')) finish(head.split('\r\n')[0]);
      else finish(head.includes('connection: close') ? 'last' : 'kept');
    };
    socket.on('data', take).on('close', gone);
    if (socket.destroyed) gone();
    else socket.write(text);
  });
}

async function client(isKept, { port, pause }) {
  const text = `GET / HTTP/1.1\r\nHost: bench\r\n${isKept ? '' : 'Connection: close\r\n'}\r\n`;
  let socket = null;
  const attempt = async () => {
    // Who has heard of the end of his connection opens another: that loses nothing.
    if (socket === null || socket.destroyed || socket.readableEnded || !isKept) {
      const opened = await open(port);
      if (opened.problem !== undefined) return opened.problem;
      socket = opened.socket;
    }
    const outcome = await exchange(socket, text);
    if (outcome !== 'kept' || !isKept) {
      socket.destroy();
      socket = null;
    }
    return outcome;
  };
  while (life === 'goes on') {
    const begun = performance.now();
    for (let outcome = await attempt(); outcome !== 'kept' && outcome !== 'last'; outcome = await attempt()) {
      counts[outcome === 'ECONNREFUSED' ? 'refused' : 'lost'] += 1;
      causes.set(outcome, (causes.get(outcome) ?? 0) + 1);
      if (life !== 'goes on') return;
      await sleep(AGAIN_MS);
    }
    took.push(performance.now() - begun);
    await sleep(pause);
  }
  socket?.destroy();
}

async function tell() {
  life = 'ends';
  await Promise.all(clients);
  process.send({ took, ...counts, causes: Object.fromEntries(causes) });
}

process.on('message', (word) => {
  if (word === 'end') void tell();
  else
    clients = [true, false].flatMap((isKept) =>
      Array.from({ length: isKept ? word.kept : word.fresh }, () => client(isKept, word)),
    );
});
process.on('disconnect', () => process.exit(0));
