// The REST API as the pages use it. An answer is a value, a lost connection too: nothing here
// throws.

import { ServerClock } from './minutes.js';

const deadline = 8000; // the server answers within 2 s; the rest is the network's

/// The time of the server's clock, estimated from the server's answers.
export const clock = new ServerClock();

const on_failure = [];

/// Calls the listener whenever an answer does not come, or says that something in the shop does not
/// work.
export function onFailure(listener) {
  on_failure.push(listener);
}

/// Tells them; `request` does so by itself.
export function noteFailure() {
  for (const listener of on_failure) listener();
}

/// Answers { ok, status, body, problem, retryAfter }: `body` where it is good, `problem` (RFC 9457)
/// where it is not; status 0 where no answer came. `key` is the Idempotency-Key: an attempt that is
/// repeated brings the same one.
export async function request(method, path, { body, key } = {}) {
  const answer = await send(method, path, body, key);
  if (answer.status === 0 || answer.status >= 500) noteFailure();
  return answer;
}

/// Whether this page would come, if it were opened now.
export async function wouldOpen(path) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), deadline);
  try {
    return (await fetch(path, { cache: 'no-store', signal: late.signal })).ok;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

async function send(method, path, body, key) {
  const headers = { Accept: 'application/hal+json, application/json' };
  if (body) headers['Content-Type'] = 'application/json';
  if (key) headers['Idempotency-Key'] = key;
  const sent = Date.now();
  const late = new AbortController(); // the oldest browsers know no signal that times out
  const timer = setTimeout(() => late.abort(), deadline);
  try {
    const response = await fetch(path, {
      method,
      headers,
      cache: 'no-cache',
      body: body && JSON.stringify(body),
      signal: late.signal,
    });
    clock.learn(response.headers.get('Date'), sent);
    const text = await response.text();
    const content = text ? JSON.parse(text) : undefined;
    return {
      ok: response.ok,
      status: response.status,
      body: response.ok ? content : undefined,
      problem: response.ok ? undefined : content,
      retryAfter: Number(response.headers.get('Retry-After')) || 0,
    };
  } catch {
    return { ok: false, status: 0, retryAfter: 0 };
  } finally {
    clearTimeout(timer);
  }
}

export function get(path) {
  return request('GET', path);
}

/// A key that no other attempt has.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/// The traces that have this status: { traces, total }, at most `most` (1,000) of them, the oldest
/// first, or the newest first; `total` counts them all. Undefined where they could not be read.
export async function tracesWith(status, most, newestFirst = false) {
  const direction = newestFirst ? 'desc' : 'asc';
  const answer = await get(
    `/orderTraces?status=${encodeURIComponent(status)}&size=${most}&sort=id,${direction}`,
  );
  if (!answer.ok) return undefined;
  return { traces: answer.body._embedded.orderTraces, total: answer.body.page.totalElements };
}

/// The traces of the orders since `time` (milliseconds since 1970), the newest first, at most
/// `most`: { traces, pages: how many were read, isPart: there are more }. Undefined without an
/// answer.
export async function tracesSince(time, most) {
  const traces = [];
  let pages = 0;
  let query = `?from=${new Date(time).toISOString()}&sort=id,desc&size=1000`;
  while (query && traces.length < most) {
    const answer = await get(`/orderTraces${query}`);
    if (!answer.ok) return undefined;
    traces.push(...answer.body._embedded.orderTraces);
    query = queryOf(answer.body._links.next);
    ++pages;
  }
  return { traces, pages, isPart: Boolean(query) };
}

/// The query of a link. The rest of the link is the server's name as the outside knows it, which is
/// not the one that this page was opened by where that is a proxy's address or a tablet's own.
function queryOf(link) {
  return link && link.href.slice(link.href.indexOf('?'));
}

/// When this order came to its status, from its history; undefined where that could not be read.
export async function timeOf(id, status) {
  const answer = await get(`/orderTraces/${id}/events?size=100`);
  const type = {
    'PAY END': 'Paid',
    'DELIVERY READY': 'DeliveryReady',
    'DELIVERY START': 'DeliveryStarted',
  }[status];
  return answer.body?._embedded.events.find((event) => event.eventType === type)?.timestamp;
}

/// Calls `work` for each item, so many at a time.
export async function inParallel(items, most, work) {
  const waiting = [...items];
  const workers = Array.from({ length: Math.min(most, waiting.length) }, async () => {
    while (waiting.length > 0) await work(waiting.shift());
  });
  await Promise.all(workers);
}
