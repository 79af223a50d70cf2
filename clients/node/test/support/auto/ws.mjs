import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer();
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (text) => {
    console.log(`heard ${process.pid}`);
    socket.send(text.toString());
  });
  socket.on('close', (code) => console.log(`server: closed ${code}`));
});
server.listen(Number(process.env.PORT), () => console.log('listens'));
