// What the pages say and do while something is down, in Chromium against the real program.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  changeTraces,
  closePage,
  countOf,
  eventually,
  launchBrowser,
  openPage,
  picture,
  Server,
  textOf,
} from './support.js';

const back = 20_000; // a page may take its time to come back, not for ever

let browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => Promise.all([browser.close(), Server.stopAll()]));

const orderButton = (page) => page.getByRole('button', { name: /^Order 1 × Coffee for/ });

test('while payment refuses, an order waits and says why, ' +
    'and is placed when payment is back', async () => {
  const server = await Server.started(['--fault', 'payment-fail=1@0s..5s']);
  const page = await openPage(browser, server.url);
  await orderButton(page).click();
  const order = page.locator('.order');
  await textOf(order.locator('.trouble'), 'Payment does not answer at the moment. We keep trying.');
  await order.getByRole('button', { name: 'Stop trying' }).waitFor();
  await picture(page, 'customer-payment-down');
  await textOf(order.locator('h3'), /^Order \d+$/, back);
  await textOf(order.locator('p.now'), 'Waiting for your payment');
  assert.equal(await order.locator('.trouble').isVisible(), false);
  assert.equal((await server.send('GET', '/orders?size=1')).body.page.totalElements, 1);
  await closePage(page);
  await server.stop();
});

test('an order that waits can be given up, and is never placed', async () => {
  const server = await Server.started(['--fault', 'payment-fail=1']);
  const page = await openPage(browser, server.url);
  await orderButton(page).click();
  await page.getByRole('button', { name: 'Stop trying' }).click();
  await countOf(page.locator('.order'), 0);
  await page.reload();
  await page.locator('.drink-card').first().waitFor();
  assert.equal(await page.locator('.order').count(), 0);
  assert.equal((await server.send('GET', '/orders?size=1')).body.page.totalElements, 0);
  await closePage(page);
  await server.stop();
});

test('a wish outlives a reload: an order that was being sent is sent on, once', async () => {
  const server = await Server.started(['--fault', 'payment-fail=1@0s..4s']);
  const page = await openPage(browser, server.url);
  await orderButton(page).click();
  await page.locator('.trouble').waitFor();
  await page.reload();
  await textOf(page.locator('.order h3'), /^Order \d+$/, back);
  assert.equal((await server.send('GET', '/orders?size=1')).body.page.totalElements, 1);
  await closePage(page);
  await server.stop();
});

test('a server that is killed and started again: ' +
    'every page says so and recovers by itself', async () => {
  const server = await Server.started();
  const id = await server.order({ productName: 'Latte', productId: 7 });
  const board = await openPage(browser, `${server.url}/board`);
  const display = await openPage(browser, `${server.url}/display`);
  const manager = await openPage(browser, `${server.url}/manager`);
  const customer = await openPage(browser, server.url);
  await orderButton(customer).click();
  await textOf(customer.locator('.order h3'), /^Order \d+$/);
  const phone = customer.locator('.order').getByLabel('Phone number');
  await phone.fill('010-9999-0000');
  await board.locator(`[data-id="${id}"]`).waitFor();
  await textOf(display.locator('#making'), String(id));
  await textOf(manager.locator('#rate-total'), '2 orders in all');

  await server.kill();
  for (const page of [board, display])
    await textOf(page.locator('#live'), /^Connection lost/, back);
  for (const page of [board, manager, customer]) {
    await textOf(
      page.locator('.notice'),
      /server cannot be reached.*what you entered is kept/,
      back,
    );
  }
  await textOf(display.locator('.notice'), /server cannot be reached.*keeps trying.$/, back);
  await customer.locator('.order').getByRole('button', { name: /^Pay/ }).click();
  await textOf(customer.locator('.trouble'), /server cannot be reached. We keep trying/);
  await board.locator(`[data-id="${id}"]`).click(); // kept, and sent as soon as it can be
  await textOf(board.locator(`[data-id="${id}"] .wait`), 'sending…');
  await picture(board, 'board-server-away');

  await server.start();
  await countOf(
    board.getByRole('region', { name: 'Ready', exact: true }).locator(`[data-id="${id}"]`),
    1,
    back,
  );
  await textOf(display.locator('#ready'), String(id), back);
  await textOf(customer.locator('p.now'), 'We are making it', back);
  await textOf(customer.locator('#stamps-text'), '1 stamp', back);
  for (const page of [board, display, manager, customer]) {
    await countOf(page.locator('.notice:not(.well)'), 0, back);
  }
  await textOf(board.locator('#live'), 'Live', back);
  const next = await server.order();
  await board.locator(`[data-id="${next}"]`).waitFor({ timeout: back });
  await textOf(manager.locator('#rate-total'), '3 orders in all', back);
  for (const page of [board, display, manager, customer]) await closePage(page);
  await server.stop();
});

test('a service that is away is named in plain words until it is back', async () => {
  const server = await Server.started();
  const page = await openPage(browser, 'about:blank');
  let away = 'payment';
  await page.route('**/actuator/health', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    if (away) body.components[away] = { status: 'DOWN' };
    await route.fulfill({ response, json: body });
  });
  await page.goto(server.url);
  await textOf(
    page.locator('.notice'),
    /^Payment does not answer at the moment.*cancelling too\.$/,
  );
  away = 'stamp';
  await textOf(page.locator('.notice'), /^The stamp service is away/);
  away = undefined;
  await textOf(page.locator('.notice'), 'All is well again.');
  await closePage(page);
  await server.stop();
});

test('the operator sees the breaker open and close', async () => {
  const server = await Server.started(['--fault', 'payment-fail=1@0s..4s']);
  const page = await openPage(browser, `${server.url}/operations`);
  const state = page.locator('#breaker .state');
  await textOf(state, /^.*Closed: calls go through$/);
  const place = () =>
    server.send('POST', '/orders', {
      productId: 1,
      productName: 'Coffee',
      qty: 1,
      cost: 4000,
      paymentType: 'card',
    });
  await Promise.all(Array.from({ length: 30 }, place));
  await textOf(state, /Open: calls are refused at once$/);
  await picture(page, 'operations-breaker-open');
  await eventually(async () => assert.equal((await place()).status, 201), back);
  await Promise.all(Array.from({ length: 10 }, place));
  await textOf(state, /Closed: calls go through$/, back);
  await page
    .getByRole('row', { name: /^Payment up/ })
    .getByRole('img', { name: /looks found it up/ })
    .waitFor();
  await closePage(page);
  await server.stop();
});

test('the manager sees what was sold today, from the server, in a page just opened', async () => {
  const server = await Server.started();
  await server.order({ productName: 'Latte', productId: 7, qty: 3 });
  const delivered = await server.order({ productName: 'Coffee', qty: 2 });
  await server.deliver(delivered, 'READY', 'START', 'END');
  await server.send('DELETE', `/orders/${await server.order({ qty: 5 })}`);
  await server.order({ qty: 7, paid: false });
  const old = await server.order({ qty: 9 });
  const page = await openPage(browser, 'about:blank');
  await changeTraces(page, (trace) => {
    // Another day's, and moved on today.
    if (trace.id === old) trace.orderedAt = '2026-01-01T00:00:00.000Z';
  });
  await page.goto(`${server.url}/manager`);
  const row = (name) => page.locator('#today').getByRole('row', { name });
  await textOf(row(/^Orders sold/), /\s2$/);
  await textOf(row(/^Cups/), /\s5$/);
  await textOf(row(/^Sales/), /₩20,000$/);
  await textOf(row(/^Orders cancelled/), /\s1$/);
  await textOf(page.locator('#today-drinks'), /Latte\s+3\s+Coffee\s+2$/);
  assert.doesNotMatch(await page.locator('main').innerText(), /breaker|LMDB|SQLite/i);
  await closePage(page);
  await server.stop();
});
