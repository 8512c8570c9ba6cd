// What board, display and manager show when the network, a proxy or a full shop makes it hard, in
// Chromium against the real program.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  card,
  changeTraces,
  closePage,
  column,
  countOf,
  eventually,
  launchBrowser,
  openPage,
  Server,
  soon,
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

const ids = (page, column_name) =>
  column(page, column_name)
    .locator('.card')
    .evaluateAll((cards) => cards.map(({ dataset }) => Number(dataset.id)));

/// Orders that are paid, fast: nobody waits for each one's trace.
async function paidOrders(count) {
  const drink = { productId: 1, productName: 'Coffee', qty: 1, cost: 4000, paymentType: 'card' };
  const found = [];
  for (let n = 0; n < count; n += 20) {
    const some = Array.from({ length: Math.min(20, count - n) }, async () => {
      const { body } = await server.send('POST', '/orders', drink);
      const paid = await server.send('PATCH', `/payments/${body.id}`, { paymentStatus: 'END' });
      assert.equal(paid.status, 200);
      return body.id;
    });
    found.push(...(await Promise.all(some)));
  }
  found.sort((a, b) => a - b);
  await eventually(async () =>
    assert.equal((await server.trace(found[count - 1])).status, 'PAY END'),
  );
  return found;
}

async function areReady(orders) {
  for (let n = 0; n < orders.length; n += 20) {
    await Promise.all(
      orders.slice(n, n + 20).map((id) => eventually(() => server.deliver(id, 'READY'))),
    );
  }
  await eventually(async () =>
    assert.equal((await server.trace(orders[orders.length - 1])).status, 'DELIVERY READY'),
  );
}

test('an order that was paid while the lists were read, and the stream began, is on the board',
  async () => {
    const first = await server.order();
    const page = await openPage(browser, 'about:blank');
    // The stream begins late; the first list's answer is under way for even longer.
    let begin, answer;
    const stream = new Promise((resolve) => (begin = resolve));
    const slow = new Promise((resolve) => (answer = resolve));
    await page.route('**/orderTraces/stream*', (route) => stream.then(() => route.continue()));
    let asked;
    const isAsked = new Promise((resolve) => (asked = resolve));
    await page.route(
      (url) => url.search.includes('status=PAY'),
      async (route) => {
        const response = await route.fetch();
        asked();
        await slow;
        await route.fulfill({ response });
      },
      { times: 1 },
    );
    await page.goto(`${server.url}/board`);
    await isAsked;
    const missed = await server.order();
    begin();
    await textOf(page.locator('#live'), 'Live');
    answer();
    for (const id of [first, missed]) await card(page, 'To make', id).waitFor();
    await closePage(page);
  });

test('where hundreds of ready orders were never collected, the newest shows, and all are counted',
  async () => {
    const orders = await paidOrders(404);
    const newest = orders[403];
    await areReady(orders);
    const display = await openPage(browser, 'about:blank');
    await changeTraces(display, (trace) => {
      if (trace.id !== newest) trace.changedAt = new Date(Date.now() - 86_400_000).toISOString();
    });
    await display.goto(`${server.url}/display`);
    await textOf(display.locator('#ready'), String(newest));
    const board = await openPage(browser, `${server.url}/board`);
    await card(board, 'Ready', newest).waitFor();
    await textOf(column(board, 'Ready').locator('.count'), '404 orders');
    await board.evaluate(() => document.querySelector('.ready .cards').scrollTo(0, 0));
    const seen = await column(board, 'Ready').locator('.card').evaluateAll(
      (cards) =>
        cards.filter((one) => {
          const frame = one.closest('ul').getBoundingClientRect();
          const { top, height } = one.parentElement.getBoundingClientRect();
          return top + height / 2 <= Math.min(innerHeight, frame.bottom);
        }).length,
    );
    await textOf(column(board, 'Ready').locator('.more'), `${404 - seen} more out of sight`);
    // Another page collects some: the lists are read again, for the stream alone cannot count.
    for (const id of orders.slice(0, 10)) await server.deliver(id, 'START', 'END');
    await textOf(column(board, 'Ready').locator('.count'), '394 orders');
    await closePage(board);
    await closePage(display);
  });

test('pages work at every address, whatever the outside calls the shop', async () => {
  await server.stop();
  server = await Server.started(['--public-url', 'https://cafe.example']);
  await paidOrders(210);
  const page = await openPage(browser, `${server.url}/board`);
  await textOf(column(page, 'To make').locator('.count'), '210 orders');
  await page.goto('about:blank');
  // More than a page: a link is followed.
  await page.route('**/orderTraces?from=*', (route) =>
    route.continue({ url: route.request().url().replace('size=1000', 'size=100') }),
  );
  await page.goto(`${server.url}/manager`);
  await textOf(page.locator('#today').getByRole('row', { name: /^Orders sold/ }), /\s210$/);
  await closePage(page);
});

test('an order that is paid while the stream has fallen silent is on the board within five seconds',
  async () => {
    let isSilent = false;
    const proxy = createServer((client) => {
      const shop = connect(server.port, '127.0.0.1');
      let streams = false;
      client.on('data', (bytes) => {
        streams = streams || bytes.includes('/orderTraces/stream');
        shop.write(bytes);
      });
      shop.on('data', (bytes) => !(streams && isSilent) && client.write(bytes));
      for (const [one, other] of [[client, shop], [shop, client]]) {
        one.on('close', () => other.destroy());
        one.on('error', () => other.destroy());
      }
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const page = await openPage(browser, `http://127.0.0.1:${proxy.address().port}/board`);
    await textOf(page.locator('#live'), 'Live');
    isSilent = true;
    const id = await server.order();
    await card(page, 'To make', id).waitFor({ timeout: 5_500 * (soon / 10_000) });
    await textOf(page.locator('#live'), 'Read every few seconds, not live');
    isSilent = false;
    await textOf(page.locator('#live'), 'Live');
    await closePage(page);
    proxy.close();
  });

test('a key that was meant for a card that another tablet moved does not move the next one',
  async () => {
    const [first, second] = [await server.order(), await server.order()];
    const page = await openPage(browser, 'about:blank');
    await page.clock.install();
    await page.goto(`${server.url}/board`);
    await card(page, 'To make', second).waitFor();
    await card(page, 'To make', first).focus();
    await page.clock.pauseAt(Date.now() + 60_000);
    const moves = [];
    page.on('request', (request) => request.method() === 'PATCH' && moves.push(request.url()));
    await server.deliver(first, 'READY'); // the other tablet
    await eventually(async () => {
      await page.clock.runFor(20); // a frame
      assert.equal(await card(page, 'Ready', first).count(), 1);
    });
    assert.equal(await page.evaluate(() => Number(document.activeElement.dataset.id)), second);
    await page.clock.runFor(120);
    await page.keyboard.press('Enter');
    await page.clock.runFor(400);
    assert.deepEqual(moves, []);
    await page.keyboard.press('Enter'); // meant for the card that has the focus by now
    await eventually(() => assert.deepEqual(moves, [`${server.url}/deliveries/${second}`]));
    await closePage(page);
  });

test('a touch that was meant for a card that a notice pushed away hits no other card', async () => {
  for (let n = 0; n < 6; ++n) await server.order();
  const page = await openPage(browser, 'about:blank', { viewport: { width: 700, height: 1100 } });
  await page.clock.install();
  let away = [];
  await page.route('**/actuator/health', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const name of away) body.components[name] = { status: 'DOWN' };
    await route.fulfill({ response, json: body });
  });
  await page.goto(`${server.url}/board`);
  await countOf(page.locator('.card'), 6);
  const moves = [];
  page.on('request', (request) => request.method() === 'PATCH' && moves.push(request.url()));
  const boxes = await Promise.all((await page.locator('.card').all()).map((c) => c.boundingBox()));
  const { x, y } = boxes[4];
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.clock.runFor(1_000); // what was due is drawn
  away = ['order', 'payment', 'stamp', 'delivery'];
  await page.evaluate(() => dispatchEvent(new Event('online'))); // looks at the health
  await countOf(page.locator('.notice'), 4);
  const under = await page.evaluate(
    ([x, y]) => document.elementsFromPoint(x, y).some((one) => one.closest('li')),
    [x + 60, y + 60],
  );
  assert.ok(under, 'another card is there now');
  await page.clock.runFor(50);
  await page.mouse.click(x + 60, y + 60);
  await page.clock.runFor(400);
  assert.deepEqual(moves, []);
  await page.mouse.click(x + 60, y + 60);
  await eventually(() => assert.equal(moves.length, 1));
  await closePage(page);
});

test('behind a proxy that holds the stream, a new order sounds, a ready one is marked as new, ' +
  'and a cancelled one is struck out', async () => {
  const board = await openPage(browser, 'about:blank');
  await board.addInitScript(() => {
    globalThis.tones = 0;
    const make = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () {
      ++globalThis.tones;
      return make.call(this);
    };
  });
  const display = await openPage(browser, 'about:blank');
  const before = await server.order();
  for (const page of [board, display]) await page.route('**/orderTraces/stream*', () => {});
  await board.goto(`${server.url}/board`);
  await display.goto(`${server.url}/display`);
  await card(board, 'To make', before).waitFor();
  await board.getByRole('button', { name: 'Sound' }).click();
  await textOf(display.locator('#making'), String(before));
  assert.equal(await board.evaluate(() => globalThis.tones), 0);
  const id = await server.order();
  await card(board, 'To make', id).waitFor();
  assert.equal(await board.evaluate(() => globalThis.tones), 2); // a chime
  await textOf(display.locator('#making'), new RegExp(`\\b${id}$`));
  await server.deliver(id, 'READY');
  await display.locator('#ready li.new').waitFor();
  await textOf(display.locator('#announcer'), `Ready: ${id}`);
  await server.send('DELETE', `/orders/${before}`);
  await textOf(card(board, 'To make', before), /Cancelled/);
  for (const page of [board, display]) await closePage(page);
});

test('a cancelled order is struck out where it was, for whoever is about to make it', async () => {
  const orders = await paidOrders(12);
  const page = await openPage(browser, `${server.url}/board`);
  await textOf(page.locator('#live'), 'Live');
  await countOf(column(page, 'To make').locator('.card'), 12);
  const before = await ids(page, 'To make');
  await server.send('DELETE', `/orders/${before[1]}`);
  await textOf(card(page, 'To make', before[1]), /Cancelled/);
  assert.deepEqual(await ids(page, 'To make'), before);
  assert.deepEqual([...before].sort((a, b) => a - b), orders);
  await closePage(page);
});

test('a time that is none leaves the display as it is', async () => {
  const id = await server.order();
  await server.deliver(id, 'READY');
  const page = await openPage(browser, 'about:blank');
  for (const minutes of ['-1', '0', 'soon']) {
    await page.goto(`${server.url}/display?minutes=${minutes}`);
    await textOf(page.locator('#ready'), String(id));
  }
  await closePage(page);
});

test('the display speaks to customers, and of nothing that they would have entered', async () => {
  const page = await openPage(browser, `${server.url}/display`, { locale: 'ko-KR' });
  await page.route('**/actuator/health', (route) => route.abort());
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await textOf(page.locator('.notice'), '매장 서버에 연결할 수 없어요. 계속 다시 시도하고 있어요.');
  await closePage(page);
});
