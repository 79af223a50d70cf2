// Closes its server, and wants to listen there again.
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('here'));
server.on('error', (error) => console.log(`failed ${error.code} ${error.message}`));
server.listen(Number(process.env.PORT), () => server.close(() => server.listen(Number(process.env.PORT))));
