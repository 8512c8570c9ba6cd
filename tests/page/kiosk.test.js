// A tablet that customers share: nothing leads out of it, and nothing of a customer stays, in
// Chromium against the real program. customer.test.js has the rest.

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

const orderButton = (page) => page.locator('#menu button.primary').first();
const kept = (page) => page.evaluate(() => localStorage.length + sessionStorage.length);

test('on a shared tablet the shop’s name begins anew, and nothing leads to a page that remembers',
  async () => {
    const server = await Server.started();
    const page = await openPage(browser, `${server.url}/?kiosk`);
    await orderButton(page).click();
    await textOf(page.locator('.order h3'), /^Order \d+$/);
    await page.locator('a.brand').click();
    await countOf(page.locator('.order'), 0);
    assert.equal(page.url(), `${server.url}/?kiosk`);
    await orderButton(page).click();
    await textOf(page.locator('.order h3'), /^Order \d+$/);
    assert.equal(await kept(page), 0);
    const ways = await page
      .locator('a:visible')
      .evaluateAll((links) => links.map((link) => new URL(link.href).search));
    assert.deepEqual([...new Set(ways)], ['?kiosk']);
    await closePage(page);
  });

test('a shared tablet keeps its language, and offers no other customer’s number', async () => {
  const server = await Server.started();
  const page = await openPage(browser, `${server.url}/?kiosk&lang=ko`);
  await orderButton(page).click();
  await page.locator('.order input[type=tel]').waitFor();
  const offered = () =>
    page.locator('input[type=tel]').evaluateAll((fields) => fields.map((f) => f.autocomplete));
  assert.deepEqual(await offered(), ['off', 'off']);
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await countOf(page.locator('.order'), 0);
  await page.getByRole('heading', { name: '메뉴' }).waitFor();
  await closePage(page);
});

test('a shared tablet whose server is away shows nothing of the customer, and comes back by itself',
  async () => {
    const server = await Server.started();
    const page = await openPage(browser, 'about:blank');
    await page.clock.install();
    await page.goto(`${server.url}/?kiosk`);
    await orderButton(page).click();
    await textOf(page.locator('.order h3'), /^Order \d+$/);
    await page.locator('#stamps-phone').fill('010-2222-3333');
    await server.kill();
    await orderButton(page).click(); // nobody is to get this one, once the customer is gone
    await eventually(async () => {
      await page.clock.runFor(30_000);
      assert.equal(await page.locator('.order').count(), 0);
    });
    await textOf(
      page.locator('.notice'),
      'The shop’s server cannot be reached. This page keeps trying.',
    );
    assert.equal(page.url(), `${server.url}/?kiosk`);
    assert.equal(await page.locator('main').isVisible(), false);
    assert.equal(await page.locator('#stamps-phone').inputValue(), '');
    await server.start();
    await eventually(async () => {
      await page.clock.runFor(2_000);
      assert.equal(await page.locator('main').isVisible(), true);
    });
    await orderButton(page).waitFor();
    await page.clock.runFor(5_000);
    assert.equal((await server.send('GET', '/orders?size=1')).body.page.totalElements, 1);
    await closePage(page);
  });
