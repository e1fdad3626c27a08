// The official Socket.IO server, measured beside ours: everybody is in one room, and `go` sends the room a hundred bytes.
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

const http = createServer((request, response) => response.end('yes'));
const io = new Server(http);
const tick = 'x'.repeat(86);

io.on('connection', (socket) => {
  socket.join('all');
  socket.on('go', () => socket.to('all').emit('tick', tick));
});

http.listen(Number(process.argv[2]), '127.0.0.1');
