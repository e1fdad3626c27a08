// The official Socket.IO client, with its default options, against the echo example of crates/realtime.
'use strict';

const assert = require('node:assert/strict');
const { io } = require('socket.io-client');

const url = process.env.REALTIME_URL;
const recoveringUrl = process.env.REALTIME_RECOVERY_URL;
const open = [];

function client(address = url, options = {}) {
  const socket = io(address, { forceNew: true, ...options });
  open.push(socket);
  return socket;
}

function once(emitter, event, within = 5000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), within);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

async function connected(...args) {
  const socket = client(...args);
  await once(socket, 'connect');
  return socket;
}

const tests = {
  async 'a client connects by polling and moves to a WebSocket'() {
    const socket = client();
    await once(socket.io, 'open');
    assert.equal(socket.io.engine.transport.name, 'polling');
    const [transport] = await once(socket.io.engine, 'upgrade');
    assert.equal(transport.name, 'websocket');
    if (!socket.connected) await once(socket, 'connect');
    assert.notEqual(socket.id, socket.io.engine.id);
    assert.deepEqual(await socket.emitWithAck('message-with-ack', 'upgraded'), 'upgraded');
  },

  async 'the payload of auth reaches the server'() {
    const socket = client(url, { auth: { token: 'abc', nested: [1, { a: null }] } });
    assert.deepEqual(await once(socket, 'auth'), [{ token: 'abc', nested: [1, { a: null }] }]);
  },

  async 'each transport works alone'() {
    for (const transport of ['polling', 'websocket']) {
      const socket = await connected(url, { transports: [transport] });
      const bytes = Buffer.from([0, 1, 254, 255]);
      socket.emit('message', 1, '2', { three: [bytes] }, null);
      assert.deepEqual(await once(socket, 'message-back'), [1, '2', { three: [bytes] }, null]);
      assert.equal(socket.io.engine.transport.name, transport);
    }
  },

  async 'acknowledgements go both ways, with bytes'() {
    const socket = await connected();
    const bytes = Buffer.alloc(100_000, 7);
    const answer = await new Promise((resolve) => {
      socket.emit('message-with-ack', bytes, { deep: [bytes] }, (...args) => resolve(args));
    });
    assert.deepEqual(answer, [bytes, { deep: [bytes] }]);
    socket.on('question', (what, reply) => reply(`about ${what}`, bytes));
    const told = await new Promise((resolve) => socket.emit('ask-me', 'it', (...args) => resolve(args)));
    assert.deepEqual(told, ['about it', bytes]);
  },

  async 'several namespaces share one connection'() {
    const manager = client();
    await once(manager, 'connect');
    const custom = manager.io.socket('/custom');
    open.push(custom.connect());
    await once(custom, 'connect');
    assert.equal(await custom.emitWithAck('message-with-ack', 1), 1);
    custom.disconnect();
    assert.equal(await manager.emitWithAck('message-with-ack', 2), 2);
  },

  async 'a namespace that is not there, and a client that is not let in, are errors'() {
    const [unknown] = await once(client(`${url}/nowhere`), 'connect_error');
    assert.equal(unknown.message, 'Invalid namespace');
    const [refused] = await once(client(url, { auth: { refuse: true } }), 'connect_error');
    assert.equal(refused.message, 'refused');
    assert.deepEqual(refused.data, { refuse: true });
  },

  async 'a socket that is put out is told'() {
    const socket = await connected();
    socket.emit('leave');
    assert.equal((await once(socket, 'disconnect'))[0], 'io server disconnect');
  },

  async 'heartbeats keep a connection'() {
    const socket = await connected();
    await once(socket.io, 'ping');
    await once(socket.io, 'ping');
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.ok(socket.connected);
    assert.equal(await socket.emitWithAck('message-with-ack', 1), 1);
  },

  async 'a client that was cut comes back by itself'() {
    const socket = await connected(url, { reconnectionDelay: 10 });
    const first = socket.id;
    const gone = once(socket, 'disconnect');
    socket.emit('cut');
    await gone;
    await once(socket, 'connect');
    assert.notEqual(socket.id, first);
    assert.ok(!socket.recovered);
    assert.equal(await socket.emitWithAck('message-with-ack', 1), 1);
  },

  async 'a client that was cut gets what it missed, and its id back'() {
    const socket = await connected(recoveringUrl, { reconnectionDelay: 200, randomizationFactor: 0 });
    const other = await connected(recoveringUrl);
    const first = socket.id;
    const seen = [];
    socket.on('told', (text) => seen.push(text));
    const before = once(socket, 'told');
    other.emit('tell', 'before');
    await before;
    const gone = once(socket, 'disconnect');
    socket.emit('cut');
    await gone;
    for (const text of ['one', 'two', 'three']) other.emit('tell', text);
    await once(socket, 'connect');
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, first);
    const after = once(socket, 'told');
    other.emit('tell', 'after');
    await after;
    while (seen.length < 5) await once(socket, 'told');
    assert.deepEqual(seen, ['before', 'one', 'two', 'three', 'after']);
  },

  async 'large messages are carried up to the limit, and end the connection beyond'() {
    const socket = await connected(url, { reconnection: false });
    const text = 'x'.repeat(900_000);
    assert.equal(await socket.emitWithAck('message-with-ack', text), text);
    socket.emit('message', 'x'.repeat(1_000_001));
    await once(socket, 'disconnect');
  },
};

async function main() {
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`ok    ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}\n${error.stack}`);
    }
    for (const socket of open.splice(0)) socket.disconnect();
  }
  console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

main();
