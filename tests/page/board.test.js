// The staff's board against the real program, in Chromium; display.test.js has more.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  card,
  changeTraces,
  closePage,
  column,
  countOf,
  eventually,
  expectNoSidewaysScroll,
  launchBrowser,
  openPage,
  picture,
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

const focused = (page) => page.evaluate(() => Number(document.activeElement.dataset.id));
const delivery = async (id) => (await server.send('GET', `/deliveries/${id}`)).body.deliveryStatus;

/// A card that the focus jumped to takes keys after 400 ms of the page's time.
function takesKeys(page) {
  return page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 450)));
}

async function live(page) {
  await textOf(page.locator('#live'), 'Live');
}

test('a card comes when an order is paid, is moved on by clicks, ' +
    'and leaves when it is done', async () => {
  const page = await openPage(browser, `${server.url}/board`);
  await live(page);
  const unpaid = await server.order({ paid: false });
  const id = await server.order({ productName: 'Latte', productId: 7, qty: 2 });
  const making = card(page, 'To make', id);
  await textOf(making, /Order\s*\d+\s*0 min\s*2 × Latte\s*on time. Move to Ready/);
  assert.equal(await page.locator(`[data-id="${unpaid}"]`).count(), 0);
  await making.click();
  await card(page, 'Ready', id).waitFor();
  assert.equal(await delivery(id), 'READY');
  await textOf(page.locator('#announcer'), `Order ${id}: Ready.`);
  await card(page, 'Ready', id).click();
  await card(page, 'On its way', id).click();
  await countOf(page.locator(`[data-id="${id}"]`), 0);
  assert.equal(await delivery(id), 'END');
  await closePage(page);
});

test('cards are moved on by key, and the focus goes to the next one', async () => {
  const ids = [];
  for (let n = 0; n < 3; ++n) ids.push(await server.order());
  const page = await openPage(browser, `${server.url}/board`);
  for (const id of ids) await card(page, 'To make', id).waitFor();
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(page), ids[0]);
  await page.keyboard.press('Enter');
  await card(page, 'Ready', ids[0]).waitFor();
  await eventually(async () => assert.equal(await focused(page), ids[1]));
  await takesKeys(page);
  await page.keyboard.press('Space');
  await card(page, 'Ready', ids[1]).waitFor();
  await eventually(async () => assert.equal(await focused(page), ids[2]));
  await page.keyboard.press('ArrowRight');
  await eventually(async () => assert.equal(await focused(page), ids[0]));
  await page.keyboard.press('Enter');
  await card(page, 'On its way', ids[0]).waitFor();
  assert.deepEqual(await Promise.all(ids.map(delivery)), ['START', 'READY', 'Prepare Delivery...']);
  await closePage(page);
});

test('a key that is held down moves one card, not those that take its place', async () => {
  const ids = [await server.order(), await server.order()];
  const page = await openPage(browser, `${server.url}/board`);
  for (const id of ids) await card(page, 'To make', id).waitFor();
  const moves = [];
  page.on('request', (request) => request.method() === 'PATCH' && moves.push(request.url()));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.down('Enter');
  await card(page, 'Ready', ids[0]).waitFor();
  await eventually(async () => assert.equal(await focused(page), ids[1]));
  await takesKeys(page);
  await page.keyboard.down('Enter'); // the browser repeats it
  await page.keyboard.up('Enter');
  assert.deepEqual(moves, [`${server.url}/deliveries/${ids[0]}`]);
  await page.keyboard.press('Enter');
  await card(page, 'Ready', ids[1]).waitFor();
  await closePage(page);
});

test('two browsers see each other’s changes', async () => {
  const first = await openPage(browser, `${server.url}/board`);
  const second = await openPage(browser, `${server.url}/board`, { locale: 'ko-KR' });
  const id = await server.order();
  await card(first, 'To make', id).click();
  await card(second, '준비 완료', id).click();
  await card(first, 'On its way', id).click();
  for (const page of [first, second]) await countOf(page.locator(`[data-id="${id}"]`), 0);
  await closePage(first);
  await closePage(second);
});

test('a cancelled order is struck out for a while, so that nobody makes it', async () => {
  const page = await openPage(browser, 'about:blank');
  await page.clock.install();
  await page.goto(`${server.url}/board`);
  const id = await server.order();
  await card(page, 'To make', id).waitFor();
  await server.send('DELETE', `/orders/${id}`);
  await textOf(card(page, 'To make', id), /Cancelled/);
  await textOf(page.locator('#announcer'), `Order ${id} is cancelled.`);
  await page.clock.fastForward(8_000);
  await countOf(page.locator(`[data-id="${id}"]`), 0);
  await closePage(page);
});

test('a page that nobody looks at leaves its stream until somebody does', async () => {
  const page = await openPage(browser, 'about:blank');
  await page.clock.install();
  await page.goto(`${server.url}/board`);
  await live(page);
  const look = (hidden) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  const streams = [];
  page.on('request', (r) => r.url().includes('/orderTraces/stream') && streams.push(r.url()));
  await look(true);
  await page.clock.fastForward(10_000);
  await eventually(async () => {
    const metrics = await (await fetch(`${server.url}/actuator/prometheus`)).text();
    assert.match(metrics, /^skanu_http_streams 0$/m);
  });
  await page.clock.fastForward(60_000);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.evaluate(() => fetch('/actuator/health')); // what was asked before is known by then
  assert.deepEqual(streams, []);
  await look(false);
  await eventually(() => assert.equal(streams.length, 1));
  await live(page);
  await closePage(page);
});

test('the second touch of a double touch does not move the next card', async () => {
  const ids = [await server.order(), await server.order()];
  const page = await openPage(browser, `${server.url}/board`);
  await card(page, 'To make', ids[1]).waitFor();
  const { x, y } = await card(page, 'To make', ids[0]).boundingBox();
  // The browser hears of both touches before anything else: how busy this machine is plays no part.
  await page.evaluate(
    ([x, y, ids]) => {
      for (const [n, id] of ids.entries()) {
        document
          .querySelector(`[data-id="${id}"]`)
          .dispatchEvent(
            new MouseEvent('click', { bubbles: true, detail: n + 1, clientX: x, clientY: y }),
          );
      }
    },
    [x + 20, y + 20, ids],
  );
  await card(page, 'Ready', ids[0]).waitFor();
  assert.equal(await card(page, 'To make', ids[1]).getAttribute('aria-disabled'), 'false');
  assert.equal(await delivery(ids[1]), 'Prepare Delivery...');
  await closePage(page);
});

test('a touch that was meant for a card that another tablet moved hits no other card', async () => {
  const ids = [await server.order(), await server.order()];
  const page = await openPage(browser, 'about:blank');
  await page.clock.install();
  await page.goto(`${server.url}/board`);
  await card(page, 'To make', ids[1]).waitFor();
  const { x, y } = await card(page, 'To make', ids[0]).boundingBox();
  await page.clock.pauseAt(Date.now() + 60_000);
  const touch = () => page.mouse.click(x + 20, y + 20);
  const moves = [];
  page.on('request', (request) => request.method() === 'PATCH' && moves.push(request.url()));
  await server.deliver(ids[0], 'READY'); // the other tablet
  await eventually(async () => {
    await page.clock.runFor(20); // a frame
    assert.equal(await card(page, 'Ready', ids[0]).count(), 1);
  });
  await page.clock.runFor(120);
  await touch();
  await page.clock.runFor(400);
  assert.deepEqual(moves, []);
  await touch(); // meant for the card that is there by now
  await eventually(() => assert.deepEqual(moves, [`${server.url}/deliveries/${ids[1]}`]));
  await closePage(page);
});

test('minutes of a trace without a time of its last step come from its history', async () => {
  const id = await server.order();
  const page = await openPage(browser, 'about:blank');
  await changeTraces(page, (trace) => delete trace.changedAt);
  await page.route('**/orderTraces/*/events*', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const event of body._embedded.events) {
      event.timestamp = new Date(Date.parse(event.timestamp) - 7 * 60_000).toISOString();
    }
    await route.fulfill({ response, json: body });
  });
  await page.goto(`${server.url}/board`);
  await textOf(card(page, 'To make', id), /7 min[^]*late/);
  await closePage(page);
});

test('in a rush the board asks for lists alone, counts the drinks, ' +
    'and says how many orders are out of sight', async () => {
  const drinks = ['Latte', 'Latte', 'Coffee'];
  const ids = [];
  for (let n = 0; n < 30; ++n)
    ids.push(await server.order({ productName: drinks[n % 3], productId: 7, qty: 1 + (n % 2) }));
  const page = await openPage(browser, 'about:blank', { viewport: { width: 1280, height: 620 } });
  const events = [];
  page.on('request', (request) => /\/events/.test(request.url()) && events.push(request.url()));
  await pretendAge(page, (id) => 40 - id);
  await page.goto(`${server.url}/board`);
  const making = column(page, 'To make');
  await countOf(making.locator('.card'), 30);
  assert.deepEqual(events, []);
  await textOf(making.locator('.tally'), 'Latte × 30 · Coffee × 15');
  const unseen = () =>
    making.locator('.cards').evaluate((list) => {
      const bottom = Math.min(innerHeight, list.getBoundingClientRect().bottom);
      return [...list.children].filter((item) => {
        const { top, height } = item.getBoundingClientRect();
        return top + height / 2 > bottom;
      }).length;
    });
  const hidden = await unseen();
  assert.ok(hidden > 3);
  await textOf(making.locator('.more'), `${hidden} more out of sight`);
  assert.equal(await making.locator('.card').first().getAttribute('data-id'), String(ids[0]));
  await countOf(making.locator('.card.overdue'), 30);
  await countOf(making.locator('.card.overdue:not(.quiet-alarm)'), 6); // those to take next
  await closePage(page);
});

test('when an order is late is a setting of the device, as are sound and screen', async () => {
  const id = await server.order();
  const page = await openPage(browser, 'about:blank');
  await pretendAge(page, () => 7);
  await page.goto(`${server.url}/board`);
  await textOf(card(page, 'To make', id), /7 min[^]*late/);
  await page.getByText('When an order is late').click();
  await page.getByLabel('Overdue after minutes').fill('30');
  await page.getByLabel('Late after minutes').fill('20');
  await page.getByLabel('Late after minutes').press('Enter');
  await textOf(card(page, 'To make', id), /7 min[^]*on time/);
  await page.getByRole('button', { name: 'Sound' }).click();
  await page.reload();
  await textOf(card(page, 'To make', id), /7 min[^]*on time/);
  assert.equal(
    await page.getByRole('button', { name: 'Sound' }).getAttribute('aria-pressed'),
    'true',
  );
  await closePage(page);
});

test('minutes and urgency come from the trace', async () => {
  const ids = [await server.order(), await server.order(), await server.order()];
  const page = await openPage(browser, 'about:blank');
  await pretendAge(page, (id) => [11, 6, 0][ids.indexOf(id)]);
  await page.goto(`${server.url}/board`);
  await textOf(card(page, 'To make', ids[0]), /11 min[^]*overdue/);
  await textOf(card(page, 'To make', ids[1]), /6 min[^]*late/);
  await textOf(card(page, 'To make', ids[2]), /0 min[^]*on time/);
  const shapes = await Promise.all(
    ids.map((id) => card(page, 'To make', id).locator('svg path').first().getAttribute('d')),
  );
  assert.equal(new Set(shapes).size, 3); // not by colour alone
  await closePage(page);
});

test('a move that came too late is told, and the card shows what is', async () => {
  const id = await server.order();
  const page = await openPage(browser, `${server.url}/board`);
  await card(page, 'To make', id).waitFor();
  await page.route('**/deliveries/*', async (route) => {
    await server.send('DELETE', `/orders/${id}`);
    await eventually(async () => assert.equal(await delivery(id), 'CANCEL'));
    await route.continue();
  });
  await card(page, 'To make', id).click();
  await textOf(
    page.locator('#announcer'),
    new RegExp(`^Order ${id} (could not be moved|is cancelled)`),
  );
  await textOf(card(page, 'To make', id), /Cancelled/);
  await closePage(page);
});

test('sixty cards fit on a screen of 1920 by 1080 ' +
    'and are large enough for two metres', async () => {
  const drinks = [
    [1, 'Coffee'],
    [4, 'IceTea'],
    [6, 'OrangeAde'],
    [8, 'WhiteChoco'],
    [10, 'RedTea Large'],
  ];
  await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      const [productId, productName] = drinks[n % drinks.length];
      const id = await server.order({ productId, productName, qty: 1 + (n % 3) });
      await server.deliver(id, ...['READY', 'START'].slice(0, [0, 0, 1, 0, 1, 2][n % 6]));
    }),
  );
  const page = await openPage(browser, 'about:blank', { viewport: { width: 1920, height: 1080 } });
  await pretendAge(page, (id) => (60 - id) / 4);
  await page.goto(`${server.url}/board`);
  await countOf(page.locator('.card'), 60);
  await countOf(page.locator('.card.overdue'), 20);
  await picture(page, 'board-1080p');
  const small = await page.evaluate(
    () =>
      [...document.querySelectorAll('.card')].filter((card) => {
        const box = card.getBoundingClientRect();
        const size = (name) => parseFloat(getComputedStyle(card.querySelector(name)).fontSize);
        return (
          box.bottom > innerHeight || size('.id') < 36 || size('.what') < 20 || size('.wait') < 18
        );
      }).length,
  );
  assert.equal(small, 0);
  const display = await openPage(browser, `${server.url}/display`, {
    viewport: { width: 1920, height: 1080 },
  });
  await countOf(display.locator('#making li'), 30);
  await countOf(display.locator('#ready li'), 20);
  await picture(display, 'display-1080p');
  await closePage(display);
  await closePage(page);
});

test('the longest names, a thousand cups and over a hundred orders ' +
    'leave every page in shape', async () => {
  const names = [
    '가'.repeat(200),
    'W'.repeat(200),
    'Vanilla latte with oat milk, an extra shot and caramel, '.repeat(4).slice(0, 200),
  ];
  // Over 64 at once would be refused where the disk stalls for half a second.
  for (const first of [0, 35, 70])
    await Promise.all(
      Array.from({ length: 35 }, async (_, i) => {
        const n = first + i;
        const id = await server.order({ productId: 99, productName: names[n % 3], qty: 1000 });
        await server.deliver(id, ...['READY', 'START'].slice(0, n % 5 === 4 ? 2 : n % 2));
      }),
    );
  const page = await openPage(browser, 'about:blank');
  await pretendAge(page, () => 12);
  await page.goto(`${server.url}/board`);
  await countOf(page.locator('.card.overdue'), 105);
  for (const [width, height] of [
    [1920, 1080],
    [820, 1180],
    [320, 640],
  ]) {
    await page.setViewportSize({ width, height });
    await expectNoSidewaysScroll(page);
    const tallest = await page.evaluate(() =>
      Math.max(...[...document.querySelectorAll('.card')].map((card) => card.offsetHeight)),
    );
    assert.ok(tallest <= 130, `a card of ${tallest} px on ${width} px`);
    await picture(page, `board-long-names-${width}`);
  }
  const said = (await page.locator('.card').allTextContents()).join();
  for (const name of names) assert.ok(said.includes(`1000 × ${name}`)); // all of it can be heard
  await page.goto(`${server.url}/display`);
  await page.locator('#making .rest').waitFor();
  for (const [width, height] of [
    [1920, 1080],
    [320, 640],
  ]) {
    await page.setViewportSize({ width, height });
    await expectNoSidewaysScroll(page);
    await eventually(async () =>
      assert.deepEqual(
        await page.evaluate(() =>
          [...document.querySelectorAll('li')]
            .filter((number) => {
              const side = number.closest('section').getBoundingClientRect();
              const box = number.getBoundingClientRect();
              return box.bottom > side.bottom || box.left + number.scrollWidth > side.right;
            })
            .map((number) => number.textContent),
        ),
        [],
      ),
    );
    await picture(page, `display-many-${width}`);
  }
  await page.evaluate(
    (names) =>
      names.forEach((productName, id) => {
        const order = { key: `k${id}`, id: id + 1, placed: id, productId: 99, productName };
        const status = ['PAY END', 'Order END'][id % 2];
        Object.assign(order, { qty: 1000, cost: 10 ** 12, status });
        localStorage.setItem(`skanu.order.${order.key}`, JSON.stringify(order));
      }),
    names,
  );
  await page.goto(server.url);
  await countOf(page.locator('.order'), 3);
  await expectNoSidewaysScroll(page);
  await picture(page, 'customer-long-names');
  await closePage(page);
});

test('a move that waited while delivery was away waits for its delivery, too, ' +
    'which follows then', async () => {
  const id = await server.order();
  const page = await openPage(browser, 'about:blank');
  await page.clock.install();
  await page.goto(`${server.url}/board`);
  await card(page, 'To make', id).waitFor();
  const answers = [
    { status: 503, headers: { 'Retry-After': '6' }, json: { type: '/problems/service-away' } },
    { status: 404, json: { type: '/problems/not-found' } },
  ];
  await page.route('**/deliveries/*', (route) =>
    answers.length > 0 ? route.fulfill(answers.shift()) : route.continue(),
  );
  await card(page, 'To make', id).click();
  await eventually(() => assert.equal(answers.length, 1));
  // The pause that was asked for begins when the page has the answer.
  await eventually(async () => {
    await page.clock.fastForward(8_000);
    assert.equal(await delivery(id), 'READY');
  });
  await card(page, 'Ready', id).waitFor();
  await closePage(page);
});
