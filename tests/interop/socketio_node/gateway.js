// The official Socket.IO client, with its default options, against the gateway itself.
'use strict';

const assert = require('node:assert/strict');
const { io } = require('socket.io-client');

const gateway = process.env.GATEWAY_URL;
const sandbox = process.env.SANDBOX_URL;
const open = [];

function once(emitter, event, within = 10000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), within);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

async function call(method, path, body, token) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(gateway + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

// Each number once: a second code within half a minute is refused.
let number = 0;
async function login(email = `reader-${process.pid}-${number++}@example.in`) {
  await call('POST', '/api/auth/send-otp', { email });
  const inbox = await (await fetch(`${sandbox}/inbox?channel=email&to=${encodeURIComponent(email)}`)).json();
  const otp = /\b(\d{6})\b/.exec(inbox[0].body)[1];
  const { accessToken, user } = await call('POST', '/api/auth/verify-otp', { email, otp, name: 'A reader' });
  return { token: accessToken, stream: `user:${user.id}` };
}

function client(person, options = {}) {
  const socket = io(gateway, { forceNew: true, auth: { token: person.token }, ...options });
  open.push(socket);
  return socket;
}

// A listing of theirs, which they may follow while it waits for its review.
async function listing(person) {
  const categories = await call('GET', '/api/categories');
  const leaf = (tree) => (tree.children?.length ? leaf(tree.children[0]) : tree);
  const body = {
    categoryId: leaf(categories.data.find(({ slug }) => slug === 'furniture')).id,
    title: 'A wooden chair',
    description: 'Four legs, a back, and hardly ever sat upon.',
    condition: 'GOOD',
    price: { amount: 150000, currency: 'INR' },
    location: { city: 'Pune', state: 'Maharashtra' },
  };
  const { id } = await call('POST', '/api/listings', body, person.token);
  return { id, retitle: (title) => call('PUT', `/api/listings/${id}`, { ...body, title }, person.token) };
}

// Waits for news of the listing from the listing's own stream: its seller hears of it a second time, for themselves.
function news(socket, followed, within = 10000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no news in time')), within);
    socket.on('listing:updated', (payload, meta) => {
      if (meta.stream !== `listing:${followed.id}`) return;
      clearTimeout(timer);
      resolve({ payload, meta });
    });
  });
}

const tests = {
  async 'a member connects by polling, moves to a WebSocket, and hears where the streams stand'() {
    const person = await login();
    const socket = client(person);
    const [{ streams }] = await once(socket, 'ready');
    assert.deepEqual(Object.keys(streams).sort(), ['everyone', person.stream]);
    if (socket.io.engine.transport.name !== 'websocket') await once(socket.io.engine, 'upgrade');
    assert.equal(socket.io.engine.transport.name, 'websocket');
    assert.deepEqual(await socket.emitWithAck('ping'), { ok: true });
  },

  async 'each transport works alone'() {
    const person = await login();
    for (const transport of ['polling', 'websocket']) {
      const socket = client(person, { transports: [transport] });
      await once(socket, 'ready');
      assert.equal(socket.io.engine.transport.name, transport);
    }
  },

  async 'nobody comes in without a good token'() {
    for (const auth of [undefined, { token: 'nonsense' }]) {
      const socket = io(gateway, { forceNew: true, auth });
      open.push(socket);
      const [error] = await once(socket, 'connect_error');
      assert.match(error.data.code, /unauthenticated|invalid_token/);
    }
  },

  async 'a room is joined by asking for it, and what is not there is told'() {
    const socket = client(await login());
    await once(socket, 'ready');
    const unknown = { listingId: '019300f0-7c41-7d0b-9b7e-5d2f1c0a9e11' };
    assert.equal((await socket.emitWithAck('subscribe:listing', unknown)).code, 'listing_not_found');
    assert.equal((await socket.emitWithAck('subscribe:listing', {})).code, 'invalid_input');
  },

  async 'who follows a listing hears what happens to it until they leave'() {
    const person = await login();
    const socket = client(person);
    await once(socket, 'ready');
    const chair = await listing(person);
    const followed = await socket.emitWithAck('subscribe:listing', { listingId: chair.id });
    assert.equal(followed.ok, true, JSON.stringify(followed));
    assert.equal(followed.stream, `listing:${chair.id}`);
    const told = news(socket, chair);
    await chair.retitle('A better wooden chair');
    const { payload, meta } = await told;
    assert.equal(payload.listingId, chair.id);
    assert.equal(meta.seq, followed.seq + 1);

    assert.deepEqual(await socket.emitWithAck('unsubscribe:listing', { listingId: chair.id }), { ok: true });
    const streams = [];
    socket.on('listing:updated', (_, { stream }) => streams.push(stream));
    await chair.retitle('The best wooden chair');
    while (streams.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await socket.emitWithAck('ping'), { ok: true });
    assert.deepEqual(streams, [person.stream]);
  },

  async 'a client that is cut off hears what it missed when it is back'() {
    const person = await login();
    const chair = await listing(person);
    // Long enough for the event to have come and gone.
    const socket = client(person, { reconnectionDelay: 3000, randomizationFactor: 0 });
    const witness = client(person);
    await Promise.all([once(socket, 'ready'), once(witness, 'ready')]);
    const { seq } = await socket.emitWithAck('subscribe:listing', { listingId: chair.id });
    await witness.emitWithAck('subscribe:listing', { listingId: chair.id });

    socket.io.engine.close();
    const seen = news(witness, chair);
    await chair.retitle('A chair that changed meanwhile');
    await seen;
    assert.equal(socket.connected, false);
    const { payload, meta } = await news(socket, chair);
    assert.equal(socket.recovered, true);
    assert.equal(payload.listingId, chair.id);
    assert.equal(meta.seq, seq + 1);
  },

  async 'a session that ends is told of to the others, and its own sockets are cut'() {
    const person = await login();
    const socket = client(person);
    await once(socket, 'ready');
    const gone = once(socket, 'disconnect');
    const told = once(socket, 'session:revoked');
    await call('POST', '/api/auth/logout', undefined, person.token);
    const [payload, meta] = await told;
    assert.equal(payload.reason, 'logout');
    assert.equal(meta.stream, person.stream);
    await gone;
  },

  async 'a client that is cut off comes back by itself and is recovered'() {
    const person = await login();
    const socket = client(person);
    await once(socket, 'ready');
    const { id } = socket;
    const back = once(socket, 'connect');
    socket.io.engine.close();
    await back;
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    assert.deepEqual(await socket.emitWithAck('ping'), { ok: true });
  },
};

(async () => {
  let passed = 0;
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      passed += 1;
    } catch (error) {
      failed += 1;
      console.error(`FAILED ${name}\n${error.stack}`);
    }
    open.splice(0).forEach((socket) => socket.disconnect());
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
})();
