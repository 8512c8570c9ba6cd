// The shop's display, and what board and display show without a live stream, against the real
// program, in Chromium.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  card,
  closePage,
  eventually,
  launchBrowser,
  openPage,
  pretendAge,
  Server,
  textOf,
} from './support.js';

let browser;
let server;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());
beforeEach(async () => {
  server = await Server.started();
});
afterEach(() => Server.stopAll());


async function live(page) {
  await textOf(page.locator('#live'), 'Live');
}

test('where there is no stream to be had, the board reads the lists', async () => {
  const page = await openPage(browser, 'about:blank');
  await page.route('**/orderTraces/stream*', (route) => route.fulfill({ status: 503 }));
  await page.goto(`${server.url}/board`);
  await textOf(page.locator('#live'), /^Connection lost/);
  const id = await server.order();
  await card(page, 'To make', id).waitFor();
  await page.unroute('**/orderTraces/stream*');
  await textOf(page.locator('#live'), 'Live', 20_000);
  await closePage(page);
});

test('behind a proxy that holds the stream back, the board and the display show the orders, ' +
    'and say that they are not live', async () => {
  // It answers, and keeps all that follows until the stream ends.
  const proxy = createServer((request, response) => {
    const asked = httpRequest(
      server.url + request.url,
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        response.flushHeaders();
        if (answer.headers['content-type'] === 'text/event-stream') answer.resume();
        else answer.pipe(response);
      },
    );
    response.on('close', () => asked.destroy());
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${proxy.address().port}`;
  const before = await server.order();
  const board = await openPage(browser, `${url}/board`);
  const display = await openPage(browser, `${url}/display`);
  await card(board, 'To make', before).waitFor({ timeout: 5_000 });
  await textOf(display.locator('#making'), String(before));
  await textOf(board.locator('#live'), 'Read every few seconds, not live');
  const after = await server.order();
  await Promise.all([
    card(board, 'To make', after).waitFor({ timeout: 5_500 }),
    textOf(display.locator('#making'), new RegExp(`\\b${after}\\b`), 5_500),
  ]);
  await closePage(display);
  await closePage(board);
  proxy.closeAllConnections();
  proxy.close();
});

test('a stream on which nothing is heard any more is opened anew', async () => {
  const page = await openPage(browser, 'about:blank');
  await page.clock.install();
  await page.addInitScript(() => {
    const listen = EventSource.prototype.addEventListener;
    EventSource.prototype.addEventListener = function (kind, take) {
      listen.call(this, kind, (event) => globalThis.isDeaf || take(event));
    };
  });
  await page.goto(`${server.url}/board`);
  await live(page);
  await page.evaluate(() => (globalThis.isDeaf = true));
  const streams = [];
  page.on('request', (r) => r.url().includes('/orderTraces/stream') && streams.push(r.url()));
  await page.clock.fastForward(8_000); // two heartbeats were due, and one more may be late
  await textOf(page.locator('#live'), 'Read every few seconds, not live');
  assert.deepEqual(streams, []);
  await page.clock.runFor(10_000);
  await eventually(() => assert.equal(streams.length, 1));
  assert.match(streams[0], /lastEventId=/);
  await page.evaluate(() => (globalThis.isDeaf = false));
  await live(page);
  await closePage(page);
});

test('the display shows what is being made and what is ready, live', async () => {
  const display = await openPage(browser, `${server.url}/display`, {
    viewport: { width: 1920, height: 1080 },
  });
  const id = await server.order();
  await textOf(display.locator('#making'), String(id));
  await textOf(display.getByRole('region', { name: /Ready/ }).locator('h2'), /Ready\s*준비 완료/);
  await server.deliver(id, 'READY');
  await textOf(display.locator('#ready'), String(id));
  await textOf(display.locator('#making'), '');
  const tall = await display
    .locator('#ready li')
    .evaluate((item) => parseFloat(getComputedStyle(item).fontSize));
  assert.ok(tall > 200, `${tall} px`);
  await server.deliver(id, 'START');
  await textOf(display.locator('#ready'), '');
  await closePage(display);
});

test('an order that nobody collected leaves the display after a time', async () => {
  const [old, fresh] = [await server.order(), await server.order()];
  for (const id of [old, fresh]) await server.deliver(id, 'READY');
  await eventually(async () => assert.equal((await server.trace(fresh)).status, 'DELIVERY READY'));
  const page = await openPage(browser, 'about:blank');
  await pretendAge(page, (id) => (id === old ? 16 : 14));
  await page.goto(`${server.url}/display`);
  await textOf(page.locator('#ready'), String(fresh));
  await page.goto(`${server.url}/display?minutes=30`);
  await textOf(page.locator('#ready'), new RegExp(`^${fresh}\\s+${old}$|^${old}\\s+${fresh}$`));
  await closePage(page);
});
