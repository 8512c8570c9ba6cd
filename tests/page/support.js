// What the page's tests share: the program, a browser, waiting for what is expected.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const top = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.SKANU_BIN ?? join(top, 'build/release/skanu');
const pictures = process.env.SKANU_SCREENSHOTS ?? join(top, 'build/release/screenshots');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/// For what takes a moment; most of it takes a few milliseconds.
export const soon = 10_000 * Number(process.env.SKANU_TIME_SCALE ?? 1);

/// A running `skanu serve`. It is stopped, and its data removed, by `stop`; `kill` is kill -9,
/// `start` starts it again on the same port and data.
export class Server {
  static #running = new Set();

  /// Stops those that a failed test left behind: with them, node would not end.
  static stopAll() {
    return Promise.all([...Server.#running].map((server) => server.stop()));
  }

  static async started(options = []) {
    const server = new Server();
    server.data = mkdtempSync(join(tmpdir(), 'skanu-page-'));
    server.port = 0;
    Server.#running.add(server);
    await server.start(options);
    return server;
  }

  async start(options = []) {
    this.process = spawn(
      program,
      ['serve', '--http', `127.0.0.1:${this.port}`, '--data', join(this.data, 'data'), ...options],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
    const lines = createInterface({ input: this.process.stdout });
    const line = await within(
      soon,
      'the program is ready',
      Promise.race([
        new Promise((resolve) => lines.once('line', resolve)),
        this.ended.then((code) => Promise.reject(new Error(`it ended with ${code}`))),
      ]),
    );
    this.port = Number(/http:.*:(\d+)$/.exec(line)[1]);
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async kill(signal = 'SIGKILL') {
    this.process.kill(signal);
    await within(soon, 'the program has ended', this.ended);
  }

  async stop() {
    Server.#running.delete(this);
    await this.kill('SIGTERM');
    rmSync(this.data, { recursive: true, force: true });
  }

  async send(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      body: body && JSON.stringify(body),
      headers: body ? { 'Content-Type': 'application/json' } : {},
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  }

  /// Places an order, and pays it unless told not to. Returns its id.
  async order({ productName = 'Coffee', productId = 1, qty = 1, paid = true, phoneNumber } = {}) {
    const placed = await this.send('POST', '/orders', {
      productId,
      productName,
      qty,
      cost: 4000 * qty,
      paymentType: 'card',
    });
    assert.equal(placed.status, 201, JSON.stringify(placed.body));
    const { id } = placed.body;
    if (paid) {
      const answer = await this.send('PATCH', `/payments/${id}`, {
        paymentStatus: 'END',
        phoneNumber,
      });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      await eventually(async () => assert.equal((await this.trace(id)).status, 'PAY END'));
      await eventually(async () =>
        assert.equal((await this.send('GET', `/deliveries/${id}`)).status, 200),
      );
    }
    return id;
  }

  async deliver(id, ...steps) {
    for (const deliveryStatus of steps) {
      assert.equal((await this.send('PATCH', `/deliveries/${id}`, { deliveryStatus })).status, 200);
    }
  }

  async trace(id) {
    return (await this.send('GET', `/orderTraces/${id}`)).body;
  }
}

const services = ['order', 'payment', 'delivery', 'stamp', 'ordertrace'];

/// A node for each service and a gateway, as processes on this machine. `gateway` is a Server, as
/// are the others in `nodes`; `Server.stopAll` stops all of them.
export class Cluster {
  static async started() {
    const cluster = new Cluster();
    const names = ['gateway', ...services];
    cluster.places = new Map();
    for (const name of names) cluster.places.set(name, `127.0.0.1:${await freePort()}`);
    const nodes = await Promise.all(names.map((name) => Server.started(cluster.#options(name))));
    cluster.nodes = new Map(names.map((name, n) => [name, nodes[n]]));
    cluster.gateway = cluster.nodes.get('gateway');
    await cluster.#seen(...services);
    return cluster;
  }

  kill(name) {
    return this.nodes.get(name).kill();
  }

  /// Starts a node that was killed again, with its data, and waits until the gateway has seen it.
  async start(name) {
    const node = this.nodes.get(name);
    if (node !== this.gateway) node.port = 0; // of its own HTTP, which nobody uses
    await node.start(this.#options(name));
    await this.#seen(name);
  }

  #options(name) {
    const peers = [...this.places].map(([peer, place]) => `--peer=${peer}=${place}`);
    return ['--services', name, '--name', name, '--node', this.places.get(name), ...peers];
  }

  #seen(...names) {
    return eventually(async () => {
      const { components } = (await this.gateway.send('GET', '/actuator/health')).body;
      for (const name of names) assert.equal(components[name].status, 'UP', name);
    });
  }
}

let next_port = 10_000 + Math.floor(Math.random() * 20_000);

/// A port that nobody listens on, none of those that the system gives out by itself: a node that
/// was killed finds it still free.
async function freePort() {
  for (;;) {
    const port = next_port++;
    const listener = createServer().listen(port, '127.0.0.1');
    try {
      await once(listener, 'listening');
    } catch {
      continue;
    }
    await once(listener.close(), 'close');
    return port;
  }
}

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
}

/// A page in a browser context of its own (its own storage), which fails the test where the page
/// throws or breaks its content security policy. Options: Playwright's for a context.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({
    locale: 'en-US',
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(soon);
  const page = await context.newPage();
  page.wrongs = [];
  page.on('pageerror', (error) => page.wrongs.push(error.stack));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) page.wrongs.push(message.text());
  });
  await page.goto(url);
  return page;
}

export async function closePage(page) {
  await page.unrouteAll({ behavior: 'ignoreErrors' }); // an answer may be under way
  await page.context().close();
  assert.deepEqual(page.wrongs, []);
}

/// From now on this page sees the last step of order `id`, in lists, as `minutesOf(id)` minutes
/// older than it is.
export function pretendAge(page, minutesOf) {
  return changeTraces(page, (trace) => {
    const age = minutesOf(trace.id) * 60_000;
    trace.changedAt = new Date(Date.parse(trace.changedAt) - age).toISOString();
  });
}

/// From now on this page sees each trace of a list as `change(trace)` leaves it.
export function changeTraces(page, change) {
  return page.route('**/orderTraces?*', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    body._embedded?.orderTraces.forEach(change);
    await route.fulfill({ response, json: body });
  });
}

/// Repeats a check until it passes; fails with its last reason when the time is over.
export async function eventually(check, deadline = soon) {
  const end = performance.now() + deadline;
  for (;;) {
    try {
      return await check();
    } catch (reason) {
      if (performance.now() > end) throw reason;
      await pause(20);
    }
  }
}

export function textOf(locator, wanted, deadline = soon) {
  return eventually(async () => {
    const text = await locator.innerText({ timeout: 1000 });
    if (wanted instanceof RegExp) assert.match(text, wanted);
    else assert.equal(text.trim(), wanted);
  }, deadline);
}

export function countOf(locator, wanted, deadline = soon) {
  return eventually(async () => assert.equal(await locator.count(), wanted), deadline);
}

/// Fails where axe-core finds a violation of WCAG 2.2 A or AA, or of its best practices.
export async function expectAccessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  assert.deepEqual(
    violations.map(({ id, nodes }) => [
      id,
      ...nodes.map((node) => node.html + node.failureSummary),
    ]),
    [],
  );
}

export async function expectNoSidewaysScroll(page) {
  const { wide, seen } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    seen: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= seen, `${wide} px of content in ${seen} px`);
}

/// Keeps a picture of the page as a build artefact.
export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({
    path: join(pictures, `${name}.png`),
    fullPage: true,
    animations: 'disabled',
  });
}

async function within(deadline, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadline} ms: ${what}`)), deadline);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// The columns and cards of the staff's board and the shop's display.
export const column = (page, name) => page.getByRole('region', { name, exact: true });
export const card = (page, name, id) => column(page, name).locator(`[data-id="${id}"]`);
