// A service of the library's whose drain takes until there is a file `go` in its directory; each step is a line in its `steps`.

import { appendFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { service } from '@upkeep/service';

const directory = process.argv[2];
const log = (step) => appendFileSync(join(directory, 'steps'), `${process.pid} ${step}\n`);

const server = createServer((_request, response) => response.end(String(process.pid)));
service.onHandover({ schema: 1, send: (writer) => writer.json({}) });
await service.receive();
service.onDrain(async () => {
  log('drains');
  server.close();
  while (!existsSync(join(directory, 'go'))) await new Promise((resolve) => setTimeout(resolve, 20));
  log('finished');
});
await service.listen(server, 'http');
await service.ready();
process.on('SIGTERM', () => log('SIGTERM'));
log('serves');
