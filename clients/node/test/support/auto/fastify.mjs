import fastify from 'fastify';

const app = fastify();
app.get('/', async () => ({ pid: process.pid }));
if (process.env.OWN_HANDLER) {
  process.once('SIGTERM', () => {
    app.close(() => {
      console.log('closed well');
      process.exit(7);
    });
  });
}
console.log(`listens ${await app.listen({ port: Number(process.env.PORT) })}`);
