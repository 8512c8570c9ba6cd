// What the pages say and do while one node of a cluster is away, in Chromium against real nodes:
// the gateway stays, and with it the pages' connections.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  Cluster,
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
let cluster;
let shop;
before(async () => {
  [browser, cluster] = await Promise.all([launchBrowser(), Cluster.started()]);
  shop = cluster.gateway;
});
after(() => Promise.all([browser?.close(), Server.stopAll()]));

const coffee = { productId: 1, productName: 'Coffee', qty: 1, cost: 4000, paymentType: 'card' };
const place = () => shop.send('POST', '/orders', coffee);

/// A page that fails the test where it is loaded anew.
async function open(path) {
  const page = await openPage(browser, shop.url + path);
  await page.evaluate(() => (globalThis.loadedOnce = true));
  return page;
}

async function close(...pages) {
  for (const page of pages) {
    assert.equal(await page.evaluate(() => globalThis.loadedOnce), true, page.url());
    await closePage(page);
  }
}

/// Has a page look at the services' health now; by itself it does so every ten seconds.
function look(page) {
  return page.evaluate(() => dispatchEvent(new Event('online')));
}

/// Orders a coffee on the customer's page. Returns its card and id.
async function orderOn(page) {
  // By key: two clicks at one place, so soon after another, are a double click.
  await page.getByRole('button', { name: /^Order 1 × Coffee for/ }).press('Enter');
  const heading = page.locator('.order h3').first();
  await textOf(heading, /^Order \d+$/);
  const id = Number((await heading.innerText()).match(/\d+/)[0]);
  return { id, order: page.getByRole('article', { name: `Order ${id}`, exact: true }) };
}

const cardIn = (board, column, id) =>
  board.getByRole('region', { name: column, exact: true }).locator(`[data-id="${id}"]`);

test('payment away and back: ' +
    'what was asked for meanwhile is done once, all else goes on', async () => {
  const [customer, board, manager] = await Promise.all(['/', '/board', '/manager'].map(open));
  const latte = await shop.order({ productName: 'Latte', productId: 7 });
  const dropped = await orderOn(customer);
  const wanted = await orderOn(customer);
  const sent = [];
  customer.on('request', (request) => {
    if (request.method() === 'GET') return;
    sent.push([new URL(request.url()).pathname, request.headers()['idempotency-key']].join(' '));
  });

  await cluster.kill('payment');
  await wanted.order.getByLabel('Phone number').fill('010-5555-0000');
  await wanted.order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(wanted.order.locator('.trouble'), /is away at the moment. We keep trying.$/);
  await textOf(
    customer.locator('.notice'),
    /^Payment does not answer at the moment, so new orders and payments have to wait/,
  );
  await customer.getByRole('button', { name: /^Order 1 × Coffee for/ }).click();
  await textOf(customer.locator('.order .trouble').first(), /We keep trying.$/);
  await dropped.order.getByRole('button', { name: 'Cancel order' }).click();
  await dropped.order.getByRole('button', { name: 'Yes, cancel it' }).click();
  await textOf(dropped.order.locator('p.now'), 'Cancelled');
  await look(board);
  await textOf(board.locator('.notice'), /^Payment does not answer at the moment/);
  await cardIn(board, 'To make', latte).click();
  await cardIn(board, 'Ready', latte).waitFor();
  await Promise.all(Array.from({ length: 30 }, place));
  await textOf(manager.locator('.notice'), /^Payment does not answer at the moment/);
  await manager.getByRole('row', { name: /^Payment down/ }).waitFor();
  await manager.getByRole('row', { name: /^Orders up/ }).waitFor();
  await textOf(manager.locator('#breaker .state'), /Open: calls are refused at once$/);
  await picture(customer, 'customer-payment-node-away');
  await picture(manager, 'manager-payment-node-away');

  await cluster.start('payment');
  await textOf(wanted.order.locator('p.now'), 'We are making it', back);
  await textOf(customer.locator('#stamps-text'), '1 stamp', back);
  await textOf(customer.locator('.order p.now').first(), 'Waiting for your payment', back);
  await countOf(customer.locator('.order'), 3);
  await countOf(customer.locator('.trouble:visible'), 0);
  await countOf(cardIn(board, 'To make', wanted.id), 1, back);
  await countOf(board.locator('.card'), 2);
  // Each wish had one key, and was carried out once.
  assert.deepEqual(
    [...new Set(sent)].map((request) => request.split(' ')[0]).sort(),
    ['/orders', `/orders/${dropped.id}`, `/payments/${wanted.id}`],
  );
  const { events } = (await shop.send('GET', `/orderTraces/${wanted.id}/events`)).body._embedded;
  assert.equal(events.filter(({ eventType }) => eventType === 'Paid').length, 1);
  assert.equal((await shop.send('GET', '/orders?size=1')).body.page.totalElements, 4);
  // The breaker tries a few calls, and closes.
  await Promise.all(Array.from({ length: 10 }, place));
  await textOf(manager.locator('#breaker .state'), /Closed: calls go through$/, back);
  await manager.getByRole('row', { name: /^Payment up/ }).waitFor();
  for (const page of [customer, board, manager]) {
    await countOf(page.locator('.notice:not(.well)'), 0, back);
  }
  await close(customer, board, manager);
});

test('ordertrace away and back: the steps go on without a reload', async () => {
  const [customer, board, display] = await Promise.all(['/', '/board', '/display'].map(open));
  const mine = await orderOn(customer);
  await mine.order.getByRole('button', { name: /^Pay/ }).click();
  await cardIn(board, 'To make', mine.id).waitFor();
  const other = await shop.order();
  await cardIn(board, 'To make', other).waitFor();

  await cluster.kill('ordertrace');
  for (const page of [customer, board, display]) {
    await look(page);
    await textOf(page.locator('.notice'), /^Live progress is away\. Orders go on/);
  }
  for (const page of [board, display])
    await textOf(page.locator('#live'), 'Not live at the moment');
  // The staff go on: one order by the board, one by somebody else.
  await cardIn(board, 'To make', mine.id).click();
  await cardIn(board, 'Ready', mine.id).click();
  await cardIn(board, 'On its way', mine.id).waitFor();
  await shop.deliver(other, 'READY');
  const late = (await place()).body.id;
  assert.equal(
    (await shop.send('PATCH', `/payments/${late}`, { paymentStatus: 'END' })).status,
    200,
  );
  await picture(board, 'board-ordertrace-node-away');

  await cluster.start('ordertrace');
  await textOf(mine.order.locator('p.now'), 'On its way to you', back);
  await countOf(cardIn(board, 'Ready', other), 1, back);
  await countOf(cardIn(board, 'To make', late), 1, back);
  await textOf(display.locator('#ready'), new RegExp(`\\b${other}\\b`), back);
  for (const page of [board, display]) await textOf(page.locator('#live'), 'Live', back);
  for (const id of [mine.id, other, late]) {
    await countOf(board.locator(`[data-id="${id}"]`), 1);
  }
  await shop.deliver(mine.id, 'END');
  await textOf(mine.order.locator('p.now'), 'Delivered. Enjoy!');
  await countOf(board.locator(`[data-id="${mine.id}"]`), 0);
  await close(customer, board, display);
});

test('a page that is opened while ordertrace is away claims nothing, and catches up', async () => {
  const customer = await openPage(browser, shop.url);
  const { id, order } = await orderOn(customer);
  await order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(order.locator('p.now'), 'We are making it');
  await customer.goto('about:blank');
  await eventually(() => shop.deliver(id, 'READY'));
  await eventually(async () => assert.equal((await shop.trace(id)).status, 'DELIVERY READY'));
  const manager = await open('/manager');
  await manager.getByRole('row', { name: /^Ready \d+$/ }).waitFor();

  await cluster.kill('ordertrace');
  const refused = customer.waitForResponse(
    (answer) => answer.url().endsWith(`/orderTraces/${id}`) && answer.status() === 503,
  );
  await customer.goto(shop.url);
  await customer.evaluate(() => (globalThis.loadedOnce = true));
  const board = await open('/board');
  await refused;
  await textOf(order.locator('p.now'), 'We are making it'); // what was known last
  for (const page of [customer, board, manager])
    await textOf(page.locator('.notice'), /^Live progress is away/);
  await textOf(board.locator('.more').first(), 'Not known yet.');
  await manager.getByRole('row', { name: 'Ready not known' }).waitFor();

  await cluster.start('ordertrace');
  await textOf(order.locator('p.now'), 'Ready!', back);
  await countOf(cardIn(board, 'Ready', id), 1, back);
  await manager.getByRole('row', { name: /^Ready \d+$/ }).waitFor({ timeout: back });
  await close(customer, board, manager);
});

test('delivery and stamp away and back: a move waits, stamps are counted', async () => {
  const [customer, board] = await Promise.all(['/', '/board'].map(open));
  const mine = await orderOn(customer);
  await Promise.all([cluster.kill('delivery'), cluster.kill('stamp')]);
  await mine.order.getByLabel('Phone number').fill('010-5555-1111');
  await mine.order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(mine.order.locator('p.now'), 'We are making it');
  await textOf(customer.locator('#stamps-text'), /is away at the moment.$/);
  await countOf(customer.locator('.notice'), 2);
  await cardIn(board, 'To make', mine.id).click();
  await textOf(cardIn(board, 'To make', mine.id).locator('.wait'), 'sending…');
  await textOf(board.locator('.notice').first(), /^The delivery service is away/);

  await Promise.all([cluster.start('delivery'), cluster.start('stamp')]);
  await countOf(cardIn(board, 'Ready', mine.id), 1, back);
  await textOf(customer.locator('#stamps-text'), '1 stamp', back);
  await textOf(mine.order.locator('p.now'), 'Ready!', back);
  await countOf(board.locator(`[data-id="${mine.id}"]`), 1);
  await close(customer, board);
});
