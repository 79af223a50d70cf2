import express from 'express';

const app = express();
app.get('/', (_request, response) => response.json({ pid: process.pid }));
const server = app.listen(process.env.PORT, () => console.log(`listens ${server.address().port}`));
