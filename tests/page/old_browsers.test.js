// The oldest browsers that README names: Safari 14, Chrome 90 and Firefox 90. Newer features are
// deleted from Chromium before a page's scripts run; newer syntax is looked for in the sources.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  closePage, countOf, eventually, launchBrowser, openPage, Server, textOf,
} from './support.js';

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launchBrowser(), Server.started()]);
});
after(() => Promise.all([browser.close(), Server.stopAll()]));

/// Runs in the page: leaves of the browser what all three of the oldest have.
function growOld() {
  delete AbortSignal.timeout;
  delete AbortSignal.any;
  delete AbortSignal.prototype.throwIfAborted;
  for (const kind of [Array, String, Object.getPrototypeOf(Uint8Array)]) delete kind.prototype.at;
  for (const name of ['findLast', 'findLastIndex', 'toSorted', 'toReversed', 'toSpliced', 'with'])
    delete Array.prototype[name];
  for (const name of ['union', 'intersection', 'difference']) delete Set.prototype[name];
  delete Object.hasOwn;
  delete Object.groupBy;
  delete Map.groupBy;
  delete Array.fromAsync;
  delete Promise.withResolvers;
  delete Promise.try;
  delete globalThis.structuredClone;
  delete globalThis.BroadcastChannel;
  delete globalThis.requestIdleCallback;
  delete globalThis.WeakRef;
  delete globalThis.Notification;
  delete globalThis.scheduler;
  delete globalThis.navigation;
  delete crypto.constructor.prototype.randomUUID;
  for (const name of ['locks', 'wakeLock', 'vibrate', 'share', 'userAgentData', 'storage'])
    delete Navigator.prototype[name];
  delete Element.prototype.checkVisibility;
  delete Document.prototype.startViewTransition;
  delete HTMLElement.prototype.popover;
}

async function openOld(path) {
  const page = await openPage(browser, 'about:blank');
  await page.addInitScript(growOld);
  await page.goto(server.url + path);
  assert.equal(await page.evaluate(() => 'timeout' in AbortSignal), false);
  return page;
}

test('an old tablet orders, pays and follows, and every page of the staff works', async () => {
  const [shop, board, display, manager] = await Promise.all(
    ['/', '/board', '/display', '/manager'].map(openOld),
  );
  await shop.getByRole('button', { name: /^Order 1 × Latte for/ }).click();
  const order = shop.locator('.order');
  await textOf(order.locator('h3'), /^Order \d+$/);
  await order.getByLabel('Phone number').fill('010-2222-3333');
  await order.getByRole('button', { name: /^Pay/ }).click();
  await textOf(shop.locator('#stamps-text'), '1 stamp');
  const id = Number((await order.locator('h3').innerText()).match(/\d+/)[0]);
  await textOf(display.locator('#making'), String(id));
  await board.locator(`[data-id="${id}"]`).click();
  await textOf(display.locator('#ready'), String(id));
  await textOf(order.locator('p.now'), /^Ready/);
  await eventually(async () => assert.match(await manager.locator('main').innerText(), /\b1\b/));
  for (const page of [shop, board, display, manager]) {
    await countOf(page.locator('.notice'), 0);
    await closePage(page);
  }
});

test('the pages’ scripts keep to the syntax of the oldest browsers', () => {
  const folder = fileURLToPath(new URL('../../http/page/', import.meta.url));
  const newer = {
    'a private member (Safari 14.1 and 15)': /^\s*(?:async |get |static )*#\w+|\.#\w+/m,
    'a field of a class (Safari 14.1)': /^ {2}(?!static |return)\w+(?: = [^>]*)?;$/m,
    'a static block (Chrome 94)': /^\s*static \{/m,
    'a lookbehind (Safari 16.4)': /\(\?<[=!]/,
    'await outside of a function (Safari 15)': /^await |^const .*= await /m,
    'a flag of a regular expression (Chrome 112)': /\/[gimsuy]*[dv][gimsuy]*\.test/,
    'at() (Chrome 92, Safari 15.4)': /\.at\(/,
    'AbortSignal.timeout (Chrome 103, Safari 16)': /AbortSignal\./,
    'Object.hasOwn (Chrome 93)': /Object\.hasOwn/,
    'structuredClone (Chrome 98)': /structuredClone/,
  };
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    const code = readFileSync(folder + name, 'utf8').replace(/^\s*\/\/.*$/gm, '');
    // Fields are looked for in classes alone: elsewhere such a line is a statement.
    const classes = [...code.matchAll(/^export class [^]*?^\}/gm)].join('\n');
    for (const [what, shape] of Object.entries(newer)) {
      const where = what.startsWith('a field') ? classes : code;
      const found = shape.exec(where);
      assert.equal(found, null, `${name}: ${what}: ${found?.[0]}`);
    }
  }
});
