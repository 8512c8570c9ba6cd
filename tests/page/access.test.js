// Every page for everybody: axe-core in both themes and languages, narrow screens, languages, no
// chatter.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  closePage,
  countOf,
  eventually,
  expectAccessible,
  expectNoSidewaysScroll,
  launchBrowser,
  openPage,
  picture,
  pretendAge,
  Server,
  textOf,
} from './support.js';

const paths = {
  customer: '/',
  board: '/board',
  display: '/display',
  manager: '/manager',
  operations: '/operations',
};
const sizes = { phone: [320, 640], tablet: [820, 1180], desktop: [1440, 900], wide: [1920, 1080] };

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchBrowser(), Server.started()]);
  for (let n = 0; n < 7; ++n) {
    const id = await server.order({
      productName: ['Latte', 'LemonAde', 'EarlGrey'][n % 3],
      productId: 7,
      qty: 1 + (n % 2),
      phoneNumber: '01012345678',
    });
    await server.deliver(id, ...['READY', 'START', 'END'].slice(0, n % 4));
  }
});
after(() => Promise.all([browser.close(), Server.stopAll()]));

/// Something of everything that the page can show.
const fill = {
  async customer(page) {
    const buttons = page.locator('.drink-card .primary');
    for (const n of [0, 6, 4, 8]) {
      // By key: clicks would all be at one place of a small screen.
      await buttons.nth(n).press('Enter');
      await textOf(page.locator('.order h3').first(), /\d/);
    }
    const orders = page.locator('.order');
    await orders.nth(2).locator('.pay .primary').click();
    await orders.nth(2).locator('.progress .now').nth(0).waitFor();
    await orders.nth(1).locator('.actions button').first().press('Enter');
    await orders.nth(3).locator('.actions button').first().press('Enter');
    await orders.nth(3).locator('.danger').press('Enter');
    await orders.nth(3).locator('.cross').waitFor();
    await page.locator('#stamps-phone').fill('010-1234-5678');
    await page.locator('#stamps-phone').press('Enter');
    await page.locator('.stamp').first().waitFor();
  },
  async board(page) {
    await page.route('**/deliveries/*', () => {}); // a move that is never answered
    await page.locator('.fresh').first().click();
    await page.locator('.sending').waitFor();
    const cancelled = await server.order();
    await page.locator(`[data-id="${cancelled}"]`).waitFor();
    await server.send('DELETE', `/orders/${cancelled}`);
    for (const look of ['cancelled', 'late', 'overdue'])
      await page.locator(`.${look}`).first().waitFor();
  },
  display: (page) => page.locator('#ready li').first().waitFor(),
  async manager(page) {
    await page.locator('#today-drinks tbody tr').first().waitFor();
    await page.locator('#status-table tr').nth(3).waitFor();
  },
  operations: (page) => page.locator('#services tr').nth(3).waitFor(),
};

for (const [name, path] of Object.entries(paths)) {
  for (const colorScheme of ['light', 'dark']) {
    for (const locale of ['en-US', 'ko-KR']) {
      const shown = `${name}, ${colorScheme}, ${locale}`;
      test(`${shown}: axe finds nothing, no size scrolls sideways`, async () => {
        const page = await openPage(browser, 'about:blank', { colorScheme, locale });
        await pretendAge(page, (id) => (id % 3) * 6);
        await page.goto(server.url + path);
        assert.equal(await page.locator('html').getAttribute('lang'), locale.slice(0, 2));
        await fill[name](page);
        const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(dark, colorScheme === 'dark' ? 'rgb(22, 16, 12)' : 'rgb(246, 239, 229)');
        for (const [size, [width, height]] of Object.entries(sizes)) {
          await page.setViewportSize({ width, height });
          await expectNoSidewaysScroll(page);
          if (size === 'phone' || size === 'desktop') await expectAccessible(page);
          if ((colorScheme === 'dark') === (locale === 'ko-KR')) {
            await picture(page, `${name}-${size}-${colorScheme}-${locale.slice(0, 2)}`);
          }
        }
        await closePage(page);
      });
    }
  }
}

for (const path of ['/docs', '/problems/already-delivered']) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${path}, ${colorScheme}: axe finds nothing, no size scrolls sideways`, async () => {
      const page = await openPage(browser, server.url + path, { colorScheme });
      for (const [width, height] of [sizes.phone, sizes.desktop]) {
        await page.setViewportSize({ width, height });
        await expectNoSidewaysScroll(page);
        await expectAccessible(page);
      }
      await closePage(page);
    });
  }
}

test('the language can be switched, and stays switched', async () => {
  const page = await openPage(browser, server.url, { locale: 'fr-FR' });
  await page.getByRole('heading', { name: 'Menu' }).waitFor();
  await page.getByRole('button', { name: '한국어' }).click();
  await page.getByRole('heading', { name: '메뉴' }).waitFor();
  await page.getByRole('heading', { name: '레모네이드' }).waitFor();
  assert.equal(await page.title(), 'SKANU · 커피 주문');
  await page.goto(`${server.url}/board`);
  await page.getByRole('heading', { name: '만들 음료' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'ko');
  await page.goto(`${server.url}/display?lang=en`);
  await page.getByRole('heading', { name: /^Being made/ }).waitFor();
  await closePage(page);
});

test('live regions say what is new, once, and nothing on their own', async () => {
  const page = await openPage(browser, `${server.url}/board`);
  await textOf(page.locator('#live'), 'Live');
  await page.locator('.card').first().waitFor();
  await page.evaluate(() => {
    globalThis.said = 0;
    const watch = new MutationObserver((changes) => (globalThis.said += changes.length));
    for (const region of document.querySelectorAll('[role=status]')) {
      watch.observe(region, { childList: true, subtree: true, characterData: true });
    }
  });
  const before = await page.locator('.card').count();
  // Others' doings are seen on the board, not called out.
  for (let n = 0; n < 3; ++n) await server.order();
  await eventually(async () => assert.equal(await page.locator('.card').count(), before + 3));
  assert.equal(await page.evaluate(() => globalThis.said), 0);
  await closePage(page);
});

test('who asks for less motion gets none', async () => {
  const page = await openPage(browser, server.url);
  const moving = () => page.evaluate(() => document.getAnimations().length);
  await page.locator('.steam').first().waitFor();
  assert.equal(await moving(), 0);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await eventually(async () => assert.ok((await moving()) > 0));
  await closePage(page);
});

for (const [name, path] of Object.entries(paths)) {
  test(`${name}: targets are at least 44 by 44 pixels on a phone`, async () => {
    const page = await openPage(browser, 'about:blank', { viewport: { width: 320, height: 640 } });
    await pretendAge(page, (id) => (id % 3) * 6);
    await page.goto(server.url + path);
    await fill[name](page);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, summary, .top a, .bottom a, .choice')]
        .filter((target) => target.checkVisibility() && !target.matches('.choice input'))
        .map((target) => [target.textContent || target.id, target.getBoundingClientRect()])
        .filter(([, box]) => Math.min(box.width, box.height) < 43.9)
        .map(([text, box]) => `${text} ${box.width} × ${box.height}`),
    );
    assert.deepEqual(small, []);
    await closePage(page);
  });
}

test('without scripts every page says what to do, in both languages', async () => {
  for (const [name, path] of Object.entries(paths)) {
    const page = await openPage(browser, server.url + path, { javaScriptEnabled: false });
    const ofCustomers = name === 'customer' || name === 'display';
    const [english, korean] = ofCustomers
      ? [/needs JavaScript.* at the counter/s, /JavaScript가 필요해/]
      : [/needs JavaScript.*open the page again/s, /JavaScript가 필요합니다/];
    await textOf(page.locator('noscript p').first(), english);
    await textOf(page.locator('noscript p').last(), korean);
    await closePage(page);
  }
});

test('the reference can be searched', async () => {
  const page = await openPage(browser, `${server.url}/docs`);
  const entry = (text) => page.locator('main li', { hasText: text });
  await page.getByRole('searchbox', { name: 'Search' }).fill('Stamps ledger');
  await page.getByRole('searchbox', { name: 'Search' }).press('Enter');
  await entry('/stamps/{phoneNumber}/entries').waitFor();
  await countOf(entry('/board'), 0);
  await expectAccessible(page);
  await entry('/stamps/{phoneNumber}/entries').getByRole('link').click();
  await page.getByRole('heading', { name: 'GET /stamps/{phoneNumber}/entries' }).waitFor();
  await page.goto(`${server.url}/docs?q=%3Cscript%3E`);
  await page.getByText('0 found').waitFor();
  await closePage(page);
});
