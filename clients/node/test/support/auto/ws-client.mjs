import { WebSocket } from 'ws';

const socket = new WebSocket(`ws://127.0.0.1:${process.env.PORT}`);
socket.on('open', () => socket.send('hello'));
socket.on('message', (text) => console.log(`client: ${text.toString()}`));
socket.on('close', (code) => console.log(`client: closed ${code}`));
