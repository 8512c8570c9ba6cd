// The customer's page against the real program, in Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  closePage,
  countOf,
  eventually,
  expectNoSidewaysScroll,
  launchBrowser,
  openPage,
  picture,
  Server,
  textOf,
} from './support.js';

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchBrowser(), Server.started()]);
});
after(() => Promise.all([browser.close(), Server.stopAll()]));

const drink = (page, name) =>
  page.locator('.drink-card', { has: page.getByRole('heading', { name, exact: true }) });
const card = (page, id) => page.getByRole('article', { name: `Order ${id}`, exact: true });

/// Orders through the page; returns the order's card and id.
async function orderOn(page, name, cups = 1) {
  const before = await page.locator('.order').count();
  for (let n = 1; n < cups; ++n)
    await drink(page, name).getByRole('button', { name: /more$/ }).click();
  await drink(page, name)
    .getByRole('button', { name: /^Order / })
    .click();
  await countOf(page.locator('.order'), before + 1);
  const heading = page.locator('.order h3').first();
  await textOf(heading, /^Order \d+$/);
  const id = Number((await heading.innerText()).match(/\d+/)[0]);
  return { id, order: card(page, id) };
}

async function present(order, step) {
  await textOf(order.locator('[aria-current=step] .step-name'), step);
}

test('an order is placed, paid, and followed live until it is delivered', async () => {
  const page = await openPage(browser, server.url);
  assert.equal(await page.locator('.drink-card').count(), 10);
  const { id, order } = await orderOn(page, 'Latte', 2);
  await textOf(page.locator('#announcer'), `Order ${id} is placed. Please pay.`);
  await textOf(order.locator('.what'), '2 × Latte · ₩10,000');
  await present(order, 'Payment');
  await order.getByLabel('Cash').check();
  await order.getByLabel('Phone number').fill('010-2222-3333');
  await order.getByRole('button', { name: 'Pay ₩10,000' }).click();
  await present(order, 'Being made');
  const payment = (await server.send('GET', `/payments/${id}`)).body;
  assert.deepEqual(
    [payment.paymentStatus, payment.paymentType, payment.phoneNumber, payment.cost],
    ['END', 'cash', '01022223333', 10_000],
  );
  await textOf(page.locator('#stamps-text'), '2 stamps');
  assert.equal(await page.locator('.stamp').count(), 2);
  await picture(page, 'customer-being-made');
  await server.deliver(id, 'READY');
  await present(order, 'Ready');
  await server.deliver(id, 'START');
  await present(order, 'On its way');
  await server.deliver(id, 'END');
  await textOf(order.locator('p.now'), 'Delivered. Enjoy!');
  await textOf(page.locator('#announcer'), `Order ${id}: Delivered. Enjoy!`);
  assert.equal(await order.getByRole('button', { name: 'Cancel order' }).isVisible(), false);
  await closePage(page);
});

test('a cancelled order says so and pays back; its stamps go', async () => {
  const page = await openPage(browser, server.url);
  const { id, order } = await orderOn(page, 'Earl Grey', 3);
  await order.getByLabel('Phone number').fill('010 5555 6666');
  await order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(page.locator('#stamps-text'), '3 stamps');
  await order.getByRole('button', { name: 'Cancel order' }).click();
  await order.getByRole('button', { name: 'No, keep it' }).click();
  assert.equal((await server.send('GET', `/orders/${id}`)).body.orderStatus, 'Order complete');
  await order.getByRole('button', { name: 'Cancel order' }).click();
  await order.getByRole('button', { name: 'Yes, cancel it' }).click();
  await textOf(order.locator('p.now'), 'Cancelled');
  await textOf(order, /₩15,000 is paid back to you/);
  assert.equal((await server.send('GET', `/orders/${id}`)).body.orderStatus, 'Order Cancelled');
  await textOf(page.locator('#stamps-text'), '0 stamps');
  await order.getByRole('button', { name: 'Remove from this list' }).click();
  await countOf(page.locator('.order'), 0);
  await closePage(page);
});

test('an order that somebody else cancels shows it', async () => {
  const page = await openPage(browser, server.url);
  const { id, order } = await orderOn(page, 'Coffee');
  assert.equal((await server.send('DELETE', `/orders/${id}`)).status, 204);
  await textOf(order.locator('p.now'), 'Cancelled');
  await textOf(order, /Nothing was paid/);
  await closePage(page);
});

test('several orders at once, remembered over a reload', async () => {
  const page = await openPage(browser, server.url);
  const ids = [];
  for (const name of ['Coffee', 'Iced tea', 'Lemonade', 'White chocolate'])
    ids.push((await orderOn(page, name)).id);
  await card(page, ids[0]).getByRole('button', { name: /^Pay/ }).click();
  await present(card(page, ids[0]), 'Being made');
  await page.reload();
  await countOf(page.locator('.order'), 4);
  await present(card(page, ids[0]), 'Being made');
  // It has no stream of its own: there are newer ones.
  await server.deliver(ids[0], 'READY');
  await present(card(page, ids[0]), 'Ready');
  await closePage(page);
});

test('what cannot be read in the storage hides no order that can', async () => {
  const page = await openPage(browser, server.url);
  const { id } = await orderOn(page, 'Latte');
  await page.evaluate(() => {
    localStorage.setItem('skanu.order.torn', '{"key":');
    localStorage.setItem('skanu.order.empty', 'null');
  });
  await page.reload();
  await card(page, id).waitFor();
  await countOf(page.locator('.order'), 1);
  await closePage(page);
});

test('an order shows in the other tabs of the same browser, and is placed once', async () => {
  const page = await openPage(browser, server.url);
  const other = await page.context().newPage();
  await other.goto(server.url);
  const total = async () => (await server.send('GET', '/orders?size=1')).body.page.totalElements;
  const before = await total();
  const { id } = await orderOn(page, 'Coffee');
  await textOf(card(other, id).locator('p.now'), 'Waiting for your payment');
  assert.equal(await total(), before + 1);
  await closePage(page);
});

test('a stamp card has ten stamps a row', async () => {
  await server.send('POST', '/stamps', { phoneNumber: '01077778888', stampQty: 23 });
  const page = await openPage(browser, server.url);
  const field = page.getByLabel('Phone number');
  await field.fill('12');
  await page.getByRole('button', { name: 'Show my stamps' }).click();
  await textOf(page.locator('#stamps-text'), 'A phone number has 7 to 15 digits.');
  await field.fill('010-7777-8888');
  await field.press('Enter');
  await textOf(page.locator('#stamps-text'), '23 stamps');
  assert.deepEqual(
    [
      await page.locator('.stamp-row').count(),
      await page.locator('.stamp').count(),
      await page.locator('.no-stamp').count(),
    ],
    [3, 23, 7],
  );
  await page
    .getByRole('img', { name: 'Stamp card: 2 full rows of ten, 3 of 10 in the last' })
    .waitFor();
  await field.fill('01000000000');
  await field.press('Enter');
  await textOf(page.locator('#stamps-text'), /^No stamps for this number yet/);
  await closePage(page);
});

test('a wrong phone number is pointed out and nothing typed is lost', async () => {
  const page = await openPage(browser, server.url);
  const { order } = await orderOn(page, 'Coffee');
  const phone = order.getByLabel('Phone number');
  await phone.fill('010-12');
  await order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(order.locator('.pay .quiet'), 'A phone number has 7 to 15 digits.');
  assert.equal(await phone.getAttribute('aria-invalid'), 'true');
  assert.equal(await phone.evaluate((field) => field === document.activeElement), true);
  await page.reload();
  assert.equal(await page.locator('.order').getByLabel('Phone number').inputValue(), '010-12');
  await closePage(page);
});

test('on a narrow phone each step’s icon stays in its place, ' +
    'however long its name is', async () => {
  const page = await openPage(browser, server.url, { viewport: { width: 320, height: 640 } });
  const { id, order } = await orderOn(page, 'Coffee');
  await order.getByRole('button', { name: /^Pay/ }).click();
  await present(order, 'Being made');
  await eventually(() => server.deliver(id, 'READY', 'START'));
  await present(order, 'On its way');
  const aside = await order.locator('.progress li').evaluateAll((steps) =>
    steps.map((step) => {
      const middle = ({ left, width }) => left + width / 2;
      const icon = step.querySelector('.step-icon').getBoundingClientRect();
      return Math.abs(Math.round(middle(icon) - middle(step.getBoundingClientRect())));
    }),
  );
  assert.deepEqual(aside, [0, 0, 0, 0, 0, 0]);
  await closePage(page);
});

test('ordering and paying needs no mouse', async () => {
  const page = await openPage(browser, server.url);
  await drink(page, 'Orangeade').getByRole('button', { name: 'One Orangeade more' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await textOf(page.locator('.order h3'), /^Order \d+$/);
  assert.equal(await page.evaluate(() => document.activeElement.matches('.order h3')), true);
  await textOf(page.locator('.what'), '2 × Orangeade · ₩11,000');
  for (const key of ['Tab', 'ArrowRight', 'Tab', 'Tab']) await page.keyboard.press(key);
  await page.keyboard.press('Enter');
  await textOf(page.locator('p.now'), 'We are making it');
  assert.equal(await page.evaluate(() => document.activeElement.matches('.order h3')), true);
  await closePage(page);
});

test('an order is sent once, however often its answer is lost', async () => {
  const page = await openPage(browser, server.url);
  const total = async () => (await server.send('GET', '/orders?size=1')).body.page.totalElements;
  const before = await total();
  let lost = 0;
  const keys = new Set();
  await page.route('**/orders', async (route) => {
    keys.add(route.request().headers()['idempotency-key']);
    if (lost++ < 2) {
      await route.fetch(); // it arrives, its answer does not
      await route.abort();
    } else await route.continue();
  });
  await orderOn(page, 'Coffee');
  assert.deepEqual([keys.size, lost], [1, 3]);
  await eventually(async () => assert.equal(await total(), before + 1));
  await closePage(page);
});

test('a double click on Order places one order', async () => {
  const page = await openPage(browser, server.url);
  const total = async () => (await server.send('GET', '/orders?size=1')).body.page.totalElements;
  const before = await total();
  const button = drink(page, 'Coffee').getByRole('button', { name: /^Order / });
  await button.dblclick();
  await textOf(page.locator('.order h3').first(), /^Order \d+$/);
  await countOf(page.locator('.order'), 1);
  assert.equal(await total(), before + 1);
  await page.locator('.order').getByRole('button', { name: 'Cancel order' }).dblclick();
  await textOf(page.locator('.confirm p'), /^Cancel order \d+ for good/);
  await drink(page, 'Coffee').getByRole('button', { name: /more$/ }).dblclick();
  await textOf(drink(page, 'Coffee').locator('output'), '3'); // counting is no change of the shop's
  await closePage(page);
});

test('seven windows of one browser follow their orders on one stream', async () => {
  const page = await openPage(browser, server.url);
  const { id, order } = await orderOn(page, 'Latte');
  const second = await orderOn(page, 'Coffee');
  const others = [];
  for (let n = 0; n < 6; ++n) {
    const other = await page.context().newPage();
    await other.goto(server.url);
    await textOf(card(other, id).locator('p.now'), 'Waiting for your payment');
    others.push(other);
  }
  const streams = async () => {
    const metrics = await (await fetch(`${server.url}/actuator/prometheus`)).text();
    return Number(/^skanu_http_streams (\d+)$/m.exec(metrics)[1]);
  };
  await eventually(async () => assert.equal(await streams(), 1));
  await order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(order.locator('p.now'), 'We are making it');
  for (const other of others) await textOf(card(other, id).locator('p.now'), 'We are making it');
  await server.send('DELETE', `/orders/${second.id}`);
  for (const other of others) await textOf(card(other, second.id).locator('p.now'), 'Cancelled');
  assert.equal(await streams(), 1);
  await page.goto('about:blank'); // the tab that held the stream: another one takes it
  await eventually(async () => assert.equal(await streams(), 1));
  await server.deliver(id, 'READY');
  for (const other of others) await textOf(card(other, id).locator('p.now'), 'Ready!');
  await closePage(page);
});

test('a tablet that customers share keeps nothing of the one before', async () => {
  const page = await openPage(browser, 'about:blank', { viewport: { width: 800, height: 1280 } });
  await page.clock.install();
  await page.goto(`${server.url}/?kiosk`);
  const kept = () => page.evaluate(() => localStorage.length + sessionStorage.length);
  const first = await orderOn(page, 'Latte');
  await first.order.getByLabel('Phone number').fill('010-2222-3333');
  await first.order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(first.order.locator('p.now'), 'We are making it');
  await expectNoSidewaysScroll(page);
  await picture(page, 'customer-kiosk');
  assert.equal(await kept(), 0);
  await page.clock.runFor(21_000);
  await textOf(page.locator('.kiosk-bar p'), /begins anew in a moment/);
  await page.clock.runFor(10_000);
  await countOf(page.locator('.order'), 0);
  await page.locator('main').waitFor(); // loaded anew
  assert.equal(await page.locator('#stamps-phone').inputValue(), '');
  await orderOn(page, 'Coffee');
  await page.getByRole('button', { name: 'Done' }).click();
  await countOf(page.locator('.order'), 0);
  await page.locator('main').waitFor(); // loaded anew
  assert.equal(await kept(), 0);
  await closePage(page);
});

test('a phone number is kept no longer than the order that it belongs to', async () => {
  const page = await openPage(browser, server.url);
  const kept = () =>
    page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  const paid = await orderOn(page, 'Latte');
  await paid.order.getByLabel('Phone number').fill('010-2222-4444');
  await paid.order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(paid.order.locator('p.now'), 'We are making it');
  await eventually(async () => assert.doesNotMatch(await kept(), /2222/));
  const dropped = await orderOn(page, 'Coffee');
  await dropped.order.getByLabel('Phone number').fill('010-2222-5555');
  assert.match(await kept(), /2222/);
  await server.send('DELETE', `/orders/${dropped.id}`);
  await textOf(dropped.order.locator('p.now'), 'Cancelled');
  assert.doesNotMatch(await kept(), /2222/);
  await closePage(page);
});

test('who waits is told when the order is ready: title, vibration, notification', async () => {
  const page = await openPage(browser, 'about:blank');
  await page.addInitScript(() => {
    globalThis.told = [];
    Navigator.prototype.vibrate = (pattern) => globalThis.told.push(`vibrates ${pattern.length}`);
    globalThis.Notification = class {
      static permission = 'default';
      static async requestPermission() {
        return (this.permission = 'granted');
      }
      constructor(title, { body }) {
        globalThis.told.push(`${title}: ${body}`);
      }
    };
  });
  await page.goto(server.url);
  const { id, order } = await orderOn(page, 'Latte', 2);
  await order.getByRole('button', { name: /^Pay/ }).click();
  await order.getByRole('button', { name: 'Tell me when it is ready' }).click();
  await countOf(order.getByRole('button', { name: 'Tell me when it is ready' }), 0);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await eventually(() => server.deliver(id, 'READY'));
  await order.locator('.ready-number').waitFor();
  await textOf(order.locator('.ready-number'), String(id));
  assert.equal(await page.title(), `Ready: ${id} · SKANU`);
  const told = () => page.evaluate(() => globalThis.told);
  assert.deepEqual(await told(), ['vibrates 3', `Ready: ${id} · SKANU: 2 × Latte`]);
  await picture(page, 'customer-ready');
  await page.reload();
  await order.locator('.ready-number').waitFor();
  assert.deepEqual(await told(), []); // once
  await server.deliver(id, 'START');
  await eventually(async () => assert.equal(await page.title(), 'SKANU · order a coffee'));
  await closePage(page);
});

/// An order of this browser as it was left `minutes` ago.
async function leave(page, minutes, order) {
  await page.evaluate(
    ([minutes, order]) => {
      const asked = Date.now() - minutes * 60_000;
      const drink = { productId: 7, productName: 'Latte', qty: 2, cost: 10_000 };
      const left = { key: 'forgotten', placed: asked, ...drink, paymentType: 'card', ...order };
      if (left.wish) left.wish = { key: 'wish', asked, ...left.wish };
      localStorage.setItem('skanu.order.forgotten', JSON.stringify(left));
    },
    [minutes, order],
  );
  const changes = [];
  page.on('request', (r) => r.method() !== 'GET' && changes.push(`${r.method()} ${r.url()}`));
  await page.goto(server.url);
  return changes;
}

test('an order that was forgotten for days is not sent: ' +
    'its card says so and offers to order again', async () => {
  const page = await openPage(browser, server.url);
  for (const minutes of [16, 3 * 24 * 60]) {
    const changes = await leave(page, minutes, {});
    await textOf(page.locator('.order'), /not sent within 15 minutes/);
    assert.deepEqual(changes, []);
    await page.reload();
    await textOf(page.locator('.order'), /not sent within 15 minutes/); // it stays so
    assert.deepEqual(changes, []);
  }
  await page.getByRole('button', { name: 'Order it again' }).click();
  await textOf(page.locator('.order h3'), /^Order \d+$/);
  await textOf(page.locator('.order .what'), '2 × Latte · ₩10,000');
  await closePage(page);
});

test('a payment and a cancel that were forgotten for days are not sent', async () => {
  const page = await openPage(browser, server.url);
  for (const kind of ['pay', 'cancel']) {
    const id = await server.order({ paid: false });
    const body = kind === 'pay' ? { paymentStatus: 'END', paymentType: 'card' } : undefined;
    const changes = await leave(page, 16, { id, status: 'Order END', wish: { kind, body } });
    await textOf(page.locator('.trouble'), /^What you asked for was not sent within 15 minutes/);
    assert.deepEqual(changes, []);
    assert.equal((await server.trace(id)).status, 'Order END');
    await page.getByRole('button', { name: /^Pay/ }).click(); // wanted still
    await textOf(page.locator('p.now'), 'We are making it');
  }
  await closePage(page);
});

test('a payment that was forgotten, but had been carried out, shows as paid', async () => {
  const page = await openPage(browser, server.url);
  const id = await server.order();
  const wish = { kind: 'pay', body: { paymentStatus: 'END', paymentType: 'card' } };
  const changes = await leave(page, 16, { id, status: 'Order END', wish });
  await textOf(page.locator('p.now'), 'We are making it');
  assert.equal(await page.locator('.trouble').isVisible(), false);
  assert.deepEqual(changes, []);
  await closePage(page);
});
