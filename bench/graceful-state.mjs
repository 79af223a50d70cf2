// A service with a state of SIZE bytes, and a web of 5 ms an answer at the socket `http`. Appends JSON lines to STEPS: when it began
// to send its state, and when the next generation had read it with its digest. While the file REFUSE exists a new generation refuses.
import { appendFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { service } from '@upkeep/service';
import { graceful } from '@upkeep/service/http';

const { SIZE, STEPS, REFUSE = '' } = process.env;
const BLOCK = Buffer.alloc(1024 * 1024, 'state');
const step = (what, more) =>
  appendFileSync(
    STEPS,
    `${JSON.stringify({ what, at: Number(process.hrtime.bigint()), pid: process.pid, ...more })}\n`,
  );

service.configure({ stateLimit: 2 ** 32 });
service.onHandover({
  schema: 1,
  send: async (writer) => {
    step('sends');
    for (let left = Number(SIZE); left > 0; left -= BLOCK.length)
      await writer.write(BLOCK.subarray(0, Math.min(left, BLOCK.length)));
  },
  undo: (reason) => step('undone', { reason }),
});

const before = await service.receive();
if (before !== null) {
  let bytes = 0;
  for await (const piece of before.stream()) bytes += piece.length;
  step('read', { bytes });
  if (existsSync(REFUSE)) await service.refuse('the bench wants it so');
}
const server = createServer((_, response) => {
  setTimeout(() => response.end('answered\n'), 5);
});
const { drain } = graceful(server);
service.onDrain(async () => {
  await drain();
});
await service.listen(server, 'http');
await service.ready();
step('ready');
