// A customer's wishes where answers are lost, tabs share them, and one takes another's place, in
// Chromium against the real program.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  closePage, countOf, eventually, launchBrowser, openPage, Server, textOf,
} from './support.js';

let browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());
afterEach(() => Server.stopAll());

const orderButton = (page) => page.getByRole('button', { name: /^Order 1 × Coffee for/ });
const total = async (server) =>
  (await server.send('GET', '/orders?size=1')).body.page.totalElements;
const away = {
  status: 503,
  headers: { 'Retry-After': '1' },
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: '/problems/service-away', title: 'Service away', status: 503 }),
};

/// Two tabs of one browser. `old`: one that does not know Web Locks, as without TLS.
async function twoTabs(server, old = false) {
  const page = await openPage(browser, 'about:blank');
  if (old) await page.context().addInitScript(() => delete Navigator.prototype.locks);
  await page.context().clock.install();
  await page.goto(server.url);
  const other = await page.context().newPage();
  await other.goto(server.url);
  await orderButton(other).waitFor();
  return [page, other];
}

for (const old of [false, true]) {
  const kind = old ? 'a browser without Web Locks' : 'a browser';
  test(`${kind}: an order that one tab gives up is given up in all, and never placed`, async () => {
    const server = await Server.started();
    const [page, other] = await twoTabs(server, old);
    let sent = 0;
    let isAway = true;
    await page.context().route('**/orders', (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      ++sent;
      return isAway ? route.fulfill(away) : route.continue();
    });
    await orderButton(page).click();
    await countOf(other.locator('.order'), 1);
    await page.getByRole('button', { name: 'Stop trying' }).click();
    for (const tab of [page, other]) await countOf(tab.locator('.order'), 0);
    isAway = false;
    const before = sent;
    for (const tab of [page, other]) await tab.clock.runFor(20_000); // twice the longest pause
    assert.equal(sent, before);
    assert.equal(await total(server), 0);
    for (const tab of [page, other]) assert.equal(await tab.locator('.order').count(), 0);
    await closePage(page);
  });
}

test('one tab of several sends an order, and all of them show it', async () => {
  const server = await Server.started();
  const [page, other] = await twoTabs(server);
  const sent = [];
  for (const tab of [page, other])
    tab.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
  await orderButton(page).click();
  for (const tab of [page, other]) await textOf(tab.locator('.order h3'), /^Order \d+$/);
  await page.locator('.order').getByRole('button', { name: /^Pay/ }).click();
  for (const tab of [page, other]) await textOf(tab.locator('p.now'), 'We are making it');
  assert.equal(sent.length, 1);
  await page.close();
  await other.locator('.order').getByRole('button', { name: 'Cancel order' }).click();
  await other.locator('.order').getByRole('button', { name: 'Yes, cancel it' }).click();
  await textOf(other.locator('p.now'), 'Cancelled');
  await other.context().close();
});

test('a wish of one tab is not undone by what another tab writes', async () => {
  const server = await Server.started();
  const [page, other] = await twoTabs(server);
  await orderButton(page).click();
  for (const tab of [page, other]) await textOf(tab.locator('.order h3'), /^Order \d+$/);
  for (const tab of [page, other])
    await tab.route('**/orders/*', (route) =>
      route.request().method() === 'DELETE' ? route.fulfill(away) : route.continue(),
    );
  await page.locator('.order').getByRole('button', { name: 'Cancel order' }).click();
  await page.locator('.order').getByRole('button', { name: 'Yes, cancel it' }).click();
  await textOf(page.locator('.trouble'), /We keep trying.$/);
  // Somebody pays for the order meanwhile: both tabs write that.
  await server.send('PATCH', '/payments/1', { paymentStatus: 'END' });
  for (const tab of [page, other]) await textOf(tab.locator('p.now'), 'We are making it');
  // The other tab has the wish, too, and carries it out when this one is gone.
  await page.close();
  await other.unrouteAll({ behavior: 'ignoreErrors' });
  await textOf(other.locator('p.now'), 'Cancelled');
  assert.equal((await server.send('GET', '/orders/1')).body.orderStatus, 'Order Cancelled');
  await other.context().close();
});

test('a cancel that was asked for while a payment was under way is carried out', async () => {
  const server = await Server.started();
  const page = await openPage(browser, server.url);
  await orderButton(page).click();
  const order = page.locator('.order');
  await textOf(order.locator('h3'), /^Order \d+$/);
  let answer;
  const paid = new Promise((resolve) => (answer = resolve));
  await page.route('**/payments/*', async (route) => {
    const response = await route.fetch();
    await paid;
    await route.fulfill({ response });
  });
  await page.route('**/orders/*', (route) =>
    route.request().method() === 'DELETE' ? route.fulfill(away) : route.continue(),
  );
  const kept = () =>
    page.evaluate(() => {
      const name = Object.keys(localStorage).find((one) => one.startsWith('skanu.order.'));
      return JSON.parse(localStorage.getItem(name));
    });
  await order.getByRole('button', { name: /^Pay/ }).click();
  await order.getByRole('button', { name: 'Cancel order' }).click();
  await order.getByRole('button', { name: 'Yes, cancel it' }).click();
  await textOf(order.locator('.trouble'), /We keep trying.$/);
  answer();
  await eventually(async () => assert.equal((await kept()).paid, true)); // it was, by then
  assert.equal((await kept()).wish.kind, 'cancel');
  await textOf(order, /Cancelling…/);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.reload();
  await textOf(order.locator('p.now'), 'Cancelled');
  assert.equal((await server.send('GET', '/orders/1')).body.orderStatus, 'Order Cancelled');
  await closePage(page);
});

test('an order whose first answer was lost is not given up at a later refusal', async () => {
  const server = await Server.started();
  const page = await openPage(browser, server.url);
  let sendings = 0;
  let isAway = true;
  await page.route('**/orders', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    if (++sendings === 1) {
      await route.fetch(); // the shop has it
      return route.abort();
    }
    return isAway ? route.fulfill(away) : route.continue();
  });
  await orderButton(page).click();
  const order = page.locator('.order');
  const stop = page.getByRole('button', { name: 'Stop trying' });
  await eventually(() => assert.ok(sendings >= 3));
  await textOf(order.locator('.trouble'), /is away at the moment. We keep trying.$/);
  assert.equal(await stop.isVisible(), false);
  await page.reload(); // it is remembered
  const before = sendings;
  await eventually(() => assert.ok(sendings > before));
  await textOf(order.locator('.trouble'), /is away at the moment. We keep trying.$/);
  assert.equal(await stop.isVisible(), false);
  isAway = false;
  await textOf(order.locator('h3'), /^Order \d+$/);
  assert.equal(await total(server), 1);
  await closePage(page);
});

test('at the time limit, an order whose first answer was lost is said to be unknown', async () => {
  const server = await Server.started();
  const page = await openPage(browser, 'about:blank');
  await page.clock.install();
  await page.goto(server.url);
  let sendings = 0;
  await page.route('**/orders', (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    return ++sendings === 1 ? route.abort() : route.fulfill(away);
  });
  await orderButton(page).click();
  await eventually(async () => {
    await page.clock.runFor(1_000);
    assert.ok(sendings >= 2);
  });
  await page.clock.fastForward(15 * 60_000);
  await textOf(page.locator('.order'), /could not find out whether this order was placed/);
  await closePage(page);
});

test('a customer with two tabs is told once that the order is ready', async () => {
  const server = await Server.started();
  const page = await openPage(browser, 'about:blank');
  await page.context().addInitScript(() => {
    globalThis.told = [];
    Navigator.prototype.vibrate = () => globalThis.told.push('vibrates');
    globalThis.Notification = class {
      static permission = 'granted';
      constructor(title) {
        globalThis.told.push(title);
      }
    };
  });
  await page.goto(server.url);
  const other = await page.context().newPage();
  await other.goto(server.url);
  await orderButton(page).click();
  await page.locator('.order').getByRole('button', { name: /^Pay/ }).click();
  for (const tab of [page, other]) await textOf(tab.locator('p.now'), 'We are making it');
  await eventually(() => server.deliver(1, 'READY'));
  for (const tab of [page, other]) await textOf(tab.locator('p.now'), 'Ready!');
  const told = await Promise.all([page, other].map((tab) => tab.evaluate(() => globalThis.told)));
  assert.deepEqual(told.flat(), ['vibrates', 'Ready: 1 · SKANU']);
  await closePage(page);
});

test('a number that was paid with leaves the stamp card with its order; a typed one stays',
  async () => {
    const server = await Server.started();
    const page = await openPage(browser, server.url);
    const field = page.locator('#stamps-phone');
    const order = page.locator('.order');
    await orderButton(page).click();
    await order.getByLabel('Phone number').fill('010-7777-8888');
    await order.getByRole('button', { name: /^Pay/ }).click();
    await textOf(page.locator('#stamps-text'), '1 stamp');
    await eventually(() => server.deliver(1, 'READY', 'START', 'END'));
    await order.getByRole('button', { name: 'Remove from this list' }).click();
    await countOf(order, 0);
    assert.equal(await field.inputValue(), '');
    await textOf(page.locator('#stamps-text'), /^Enter the phone number/);
    await field.fill('010-7777-8888');
    await field.press('Enter');
    await textOf(page.locator('#stamps-text'), '1 stamp');
    await orderButton(page).press('Enter');
    await textOf(order.locator('h3'), 'Order 2');
    await order.getByLabel('Phone number').fill('010-7777-8888');
    await order.getByRole('button', { name: /^Pay/ }).click();
    await textOf(page.locator('#stamps-text'), '2 stamps');
    await server.send('DELETE', '/orders/2');
    await order.getByRole('button', { name: 'Remove from this list' }).click();
    await countOf(order, 0);
    assert.equal(await field.inputValue(), '010-7777-8888');
    await closePage(page);
  });

test('a step that was missed while an order’s trace was being read is seen', async () => {
  const server = await Server.started();
  const page = await openPage(browser, 'about:blank');
  let begin, answer;
  const stream = new Promise((resolve) => (begin = resolve));
  const slow = new Promise((resolve) => (answer = resolve));
  await page.route('**/orderTraces/stream*', (route) => stream.then(() => route.continue()));
  await page.goto(server.url);
  let asked = 0;
  let isLost = false;
  await page.route('**/orderTraces/1', async (route) => {
    if (isLost) {
      isLost = false;
      answer();
      return route.abort();
    }
    const response = await route.fetch();
    if (++asked === 1) await slow;
    await route.fulfill({ response });
  });
  await orderButton(page).click();
  await textOf(page.locator('.order h3'), 'Order 1');
  await eventually(() => assert.equal(asked, 1));
  await server.send('PATCH', '/payments/1', { paymentStatus: 'END' });
  await eventually(async () => assert.equal((await server.trace(1)).status, 'PAY END'));
  isLost = true; // the answer to the look that follows the stream's begin
  begin();
  await textOf(page.locator('p.now'), 'We are making it');
  await closePage(page);
});

test('a word of another tab that comes late does not undo what was stored since', async () => {
  const server = await Server.started();
  const page = await openPage(browser, server.url);
  await orderButton(page).click();
  const order = page.locator('.order');
  await textOf(order.locator('h3'), 'Order 1');
  const late = (change) =>
    page.evaluate((change) => {
      const key = Object.keys(localStorage).find((one) => one.startsWith('skanu.order.'));
      const { id, status, ...before } = JSON.parse(localStorage.getItem(key));
      const newValue = change === 'forget' ? null : JSON.stringify(before);
      dispatchEvent(new StorageEvent('storage', { key, newValue }));
      return id && status;
    }, change);
  for (const change of ['write', 'forget']) {
    assert.equal(await late(change), 'Order END');
    await countOf(order, 1);
    assert.equal(await order.locator('h3').innerText(), 'Order 1');
  }
  await closePage(page);
});
