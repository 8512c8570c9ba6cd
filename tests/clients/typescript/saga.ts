// The saga through openapi-fetch with the types that openapi-typescript made; an error ends the
// program.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

type Problem = components['schemas']['Problem'];
type Event = components['schemas']['Event'];

const largestId = Number.MAX_SAFE_INTEGER;
const phoneNumber = '010-7000-0001';
const baseUrl = process.argv[2];
const client = createClient<paths>({ baseUrl });

/** The body of a 2xx answer, by its type. */
function had<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert.ok(answer.data !== undefined, `${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** Calls until `make` gives a value, for 5 seconds at most. */
async function sooner<T>(make: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    const value = await make();
    if (value !== undefined) return value;
    await new Promise((resume) => setTimeout(resume, 10));
  }
  throw new Error('not within 5 s');
}

async function place(): Promise<number> {
  const wanted = {
    params: { header: { 'Idempotency-Key': 'saga-of-typescript' } },
    body: {
      productId: largestId,
      productName: '라떼',
      qty: 2,
      cost: 1_000_000_000_000,
      paymentType: 'card',
    },
  };
  const order = had(await client.POST('/orders', wanted));
  assert.equal(order.productId, largestId);
  assert.equal(order.orderStatus satisfies components['schemas']['OrderStatus'], 'Order complete');
  assert.deepEqual(had(await client.POST('/orders', wanted)), order);
  return order.id;
}

async function pay(orderId: number) {
  const payment = had(
    await client.POST('/payments', { body: { orderId, paymentStatus: 'END', phoneNumber } }),
  );
  assert.equal(payment.paymentStatus, 'END');
  assert.equal(payment.phoneNumber, '01070000001');
}

async function deliver(id: number) {
  const params = { path: { id } };
  await sooner(async () => (await client.GET('/deliveries/{id}', { params })).data);
  for (const deliveryStatus of ['READY', 'START', 'END'] as const) {
    const moved = await client.PATCH('/deliveries/{id}', { params, body: { deliveryStatus } });
    assert.equal(had(moved).deliveryStatus, deliveryStatus);
  }
}

async function readStamps() {
  const params = { path: { phoneNumber } };
  const account = await sooner(
    async () => (await client.GET('/stamps/{phoneNumber}', { params })).data,
  );
  assert.equal(account.stampQty, 2);
  const ledger = had(await client.GET('/stamps/{phoneNumber}/entries', { params }));
  assert.equal(ledger._embedded.entries[0]?.eventType, 'StampsEarned');
}

/** The events by their kinds: `eventType` tells the compiler what an event has. */
function deliveryStatusOf(event: Event): string | undefined {
  return event.eventType === 'Delivered' ? event.deliveryStatus : undefined;
}

async function readTrace(id: number) {
  const params = { path: { id } };
  await sooner(async () => {
    const trace = had(await client.GET('/orderTraces/{id}', { params }));
    return trace.status === 'DELIVERY END' ? trace : undefined;
  });
  const found = await client.GET('/orderTraces/search/findByOrderId', {
    params: { query: { orderId: id } },
  });
  assert.equal(had(found)._embedded.orderTraces[0]?.orderId, id);
  const history = had(await client.GET('/orderTraces/{id}/events', { params }));
  const events = history._embedded.events;
  assert.equal(events[0]?.eventType, 'Ordered');
  assert.deepEqual(events.map(deliveryStatusOf).filter(Boolean), ['END']);
}

async function meetProblems() {
  const missing = await client.GET('/orders/{id}', { params: { path: { id: largestId } } });
  assert.equal(missing.response.status, 404);
  const problem: Problem | undefined = missing.error;
  assert.equal(problem?.type, '/problems/not-found');
  const wrong = await client.POST('/orders', {
    body: { productId: 1, productName: 'x', qty: 0, cost: 1, paymentType: 'card' },
  });
  assert.equal(wrong.error?.errors?.[0]?.field, 'qty');
}

async function readPages(id: number) {
  const query = { size: 1, sort: 'id,desc' } as const;
  const page = had(await client.GET('/orders', { params: { query } }));
  assert.equal(page.page.size, 1);
  assert.ok((page._embedded.orders[0]?.id ?? 0) >= id);
  const root = had(await client.GET('/', { headers: { Accept: 'application/hal+json' } }));
  assert.ok(typeof root !== 'string' && root._links['orders']?.templated);
  const health = had(await client.GET('/actuator/health'));
  assert.equal(health.status, 'UP');
}

/** Reads the stream of one order from its start, as a body that grows. */
async function readStream(id: number) {
  const stop = new AbortController();
  const stream = had(
    await client.GET('/orderTraces/stream', {
      params: { query: { orderId: [id], lastEventId: '0' } },
      parseAs: 'stream',
      signal: stop.signal,
    }),
  );
  assert.ok(stream instanceof ReadableStream);
  let text = '';
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes('"DELIVERY END"')) break;
  }
  stop.abort();
  const data = text.split('\n').filter((line) => line.startsWith('data: {"id"'));
  const changes = data.map(
    (line) => JSON.parse(line.slice(6)) as components['schemas']['TraceChange'],
  );
  assert.deepEqual(new Set(changes.map((change) => change.orderId)), new Set([id]));
}

const id = await place();
await pay(id);
await deliver(id);
await readStamps();
await readTrace(id);
await meetProblems();
await readPages(id);
await readStream(id);
console.log(id);
