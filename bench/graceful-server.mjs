// The service that is restarted under load: HTTP, 5 ms for each answer. PORT is its port. As it stands it leaves its end to
// whoever loads @upkeep/service/auto before it; with END=own it ends as most programs do, by server.close() and a deadline.
import { createServer } from 'node:http';

const ANSWER_MS = 5;
/** What people write after server.close(), because kept connections may go on for ever. */
const PATIENCE_MS = 3_000;

const server = createServer((_, response) => {
  setTimeout(() => response.end('answered\n'), ANSWER_MS);
});

if (process.env.END === 'own') {
  const isHeld = process.env.LISTEN_PID === String(process.pid);
  server.listen(isHeld ? { fd: 3 } : { port: Number(process.env.PORT), host: '127.0.0.1' }, () =>
    process.send?.('ready'),
  );
  const leave = () => {
    server.close(() => process.exit(0));
    setTimeout(() => process.exit(0), PATIENCE_MS).unref();
  };
  process.once('SIGTERM', leave).once('SIGINT', leave);
} else {
  server.listen(Number(process.env.PORT), '127.0.0.1');
}
