// Razorpay's own Node SDK against the sandbox: orders, payments, refunds, errors, and its signature helpers.
'use strict';

const assert = require('node:assert/strict');
const Razorpay = require('razorpay');
const { validatePaymentVerification, validateWebhookSignature } = require('razorpay/dist/utils/razorpay-utils');

const sandbox = process.env.SANDBOX_URL;
const keyId = process.env.DGT__SANDBOX__RAZORPAY_KEY_ID;
const keySecret = process.env.DGT__SANDBOX__RAZORPAY_KEY_SECRET;
const webhookSecret = process.env.DGT__SANDBOX__RAZORPAY_WEBHOOK_SECRET;

function client(secret = keySecret) {
  const made = new Razorpay({ key_id: keyId, key_secret: secret });
  // The SDK has no option for its address; any other than the sandbox's would be a mistake.
  made.api.rq.defaults.baseURL = sandbox;
  return made;
}

async function control(path, body) {
  const answer = await fetch(`${sandbox}/control${path}`, { method: 'POST', body: JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, text);
  return text ? JSON.parse(text) : null;
}

async function paid(changes = {}) {
  const order = await client().orders.create({ amount: 50000, ...changes });
  return { order, triple: await control(`/orders/${order.id}/pay`, { outcome: 'success' }) };
}

async function refused(description, action, status = 400) {
  await assert.rejects(action, (error) => {
    assert.equal(error.statusCode, status);
    assert.equal(error.error.code, 'BAD_REQUEST_ERROR');
    assert.equal(error.error.description, description);
    return true;
  });
}

const tests = {
  async 'an order is made, fetched and found by its receipt'() {
    const receipt = `node-${process.hrtime.bigint()}`;
    const order = await client().orders.create({ amount: 50000, receipt, notes: { user: 'u1' } });
    assert.equal(order.currency, 'INR');
    assert.deepEqual(await client().orders.fetch(order.id), order);
    const found = await client().orders.all({ receipt });
    assert.deepEqual(found, { entity: 'collection', count: 1, items: [order] });
  },

  async 'a payment is captured once'() {
    const { triple } = await paid({ payment: { capture: 'manual' } });
    const id = triple.razorpay_payment_id;
    assert.equal((await client().payments.fetch(id)).status, 'authorized');
    const captured = await client().payments.capture(id, 50000, 'INR');
    assert.deepEqual([captured.status, captured.fee, captured.tax], ['captured', 1180, 180]);
    await refused('This payment has already been captured', () => client().payments.capture(id, 50000, 'INR'));
  },

  async 'a payment is refunded in parts'() {
    const { order, triple } = await paid();
    const id = triple.razorpay_payment_id;
    const part = await client().payments.refund(id, { amount: 20000, speed: 'normal' });
    assert.deepEqual([part.status, part.amount], ['pending', 20000]);
    const rest = await client().payments.refund(id);
    assert.equal(rest.amount, 30000);
    assert.equal((await client().payments.fetchMultipleRefund(id)).count, 2);
    assert.deepEqual(await client().refunds.fetch(part.id), await client().payments.fetchRefund(id, part.id));
    assert.equal((await client().orders.fetchPayments(order.id)).items[0].status, 'refunded');
    await refused('The payment has been fully refunded already', () => client().payments.refund(id));
  },

  async 'refusals reach the SDK'() {
    await refused('Order amount less than minimum amount allowed', () => client().orders.create({ amount: 99 }));
    await refused('colour is/are not required and should not be sent', () =>
      client().orders.create({ amount: 500, colour: 'red' }));
    await refused('The id provided does not exist', () => client().payments.fetch('pay_00000000000000'));
    await refused('Authentication failed', () => client('wrong').orders.all(), 401);
  },

  async 'the SDK verifies what checkout gives'() {
    const { triple } = await paid();
    const verify = (order, signature) =>
      validatePaymentVerification({ order_id: order, payment_id: triple.razorpay_payment_id }, signature, keySecret);
    assert.ok(verify(triple.razorpay_order_id, triple.razorpay_signature));
    assert.ok(!verify('order_00000000000000', triple.razorpay_signature));
    assert.ok(!verify(triple.razorpay_order_id, '0'.repeat(64)));
  },

  async 'the SDK verifies webhooks over their raw bytes'() {
    const { triple } = await paid();
    const events = await (await fetch(`${sandbox}/control/webhooks`)).json();
    const ours = events.filter(({ body }) => body.includes(triple.razorpay_payment_id));
    assert.deepEqual(ours.map(({ event }) => event), ['payment.authorized', 'payment.captured', 'order.paid']);
    for (const { body, signature } of ours) {
      assert.ok(validateWebhookSignature(body, signature, webhookSecret));
      assert.ok(!validateWebhookSignature(JSON.stringify(JSON.parse(body)), signature, webhookSecret));
      assert.ok(!validateWebhookSignature(body, signature, keySecret));
    }
  },
};

(async () => {
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`ok    ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}\n${error?.stack ?? JSON.stringify(error)}`);
    }
  }
  console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
})();
