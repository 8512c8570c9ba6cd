// The page's logic that knows no browser.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { attempt, isCertain, isPassing, pauseBefore, timeLeft } from '../../http/page/attempt.js';
import { niceMost } from '../../http/page/charts.js';
import { isDoneElsewhere, isHeldBy, renewed } from '../../http/page/lease.js';
import { minutesSince, ServerClock, untilNextMinute, urgency } from '../../http/page/minutes.js';
import { layout } from '../../http/page/numbers_layout.js';
import { OrderRate } from '../../http/page/order_rate.js';
import { korea, normalisedPhone } from '../../http/page/phone.js';
import { defaults, sane } from '../../http/page/settings.js';
import { SettledPlaces } from '../../http/page/settled_places.js';
import { chooseLanguage, customerTexts, textOf, texts } from '../../http/page/texts.js';
import {
  isCancelled,
  isEnded,
  later,
  presentStep,
  statuses,
  steps,
} from '../../http/page/traces.js';
import { tally } from '../../http/page/tally.js';
import { figuresSince, midnightBefore } from '../../http/page/today.js';
import { isRest } from '../../http/page/touch_guard.js';
import { menu } from '../../http/page/menu.js';
import { trace } from './sample_traces.js';

test('of two accounts of an order the higher-ranking is the later one', () => {
  for (const [n, low] of statuses.entries()) {
    assert.equal(later(undefined, low), low);
    for (const high of statuses.slice(n)) {
      assert.equal(later(low, high), high);
      assert.equal(later(high, low), high);
    }
  }
});

test('every status either is a step or a cancel, and steps go up', () => {
  let before = -1;
  for (const status of statuses) {
    assert.equal(presentStep(status) === undefined, isCancelled(status), status);
    if (isCancelled(status)) continue;
    assert.ok(presentStep(status) > before && presentStep(status) < steps.length);
    before = presentStep(status);
  }
  assert.ok(isEnded('DELIVERY END') && isEnded('ORDER CANCEL') && !isEnded('DELIVERY START'));
});

test('minutes are whole, never negative, and turn urgent at 5 and at 10', () => {
  const now = Date.parse('2026-11-26T10:10:00.000Z');
  assert.equal(minutesSince('2026-11-26T10:05:00.001Z', now), 4);
  assert.equal(minutesSince('2026-11-26T10:05:00.000Z', now), 5);
  assert.equal(minutesSince('2026-11-26T10:11:00.000Z', now), 0);
  assert.equal(minutesSince(undefined, now), 0);
  const how = (limits) => [0, 4, 5, 9, 10, 99].map((minutes) => urgency(minutes, limits).at(0));
  assert.equal(how({ late: 5, overdue: 10 }).join(''), 'fflloo');
  assert.equal(how({ late: 10, overdue: 20 }).join(''), 'fffflo');
});

test('the next minute of the one that turns first is waited for', () => {
  const now = Date.parse('2026-11-26T10:10:00.000Z');
  assert.equal(untilNextMinute([], now), 60_000);
  assert.equal(
    untilNextMinute(['2026-11-26T10:09:30.000Z', '2026-11-26T10:08:10.000Z'], now),
    10_000,
  );
});

test('a clock of this machine that is wrong does not make orders late', () => {
  let local = Date.parse('2026-11-26T10:20:00.000Z');
  const clock = new ServerClock(() => local);
  assert.equal(clock.now(), local);
  clock.learn('Thu, 26 Nov 2026 10:10:00 GMT', local);
  assert.equal(clock.now(), Date.parse('2026-11-26T10:10:00.500Z'));
  local += 1000;
  assert.equal(clock.now(), Date.parse('2026-11-26T10:10:01.500Z'));
  clock.learn('no date', local);
  clock.learn(null, local);
  assert.equal(clock.now(), Date.parse('2026-11-26T10:10:01.500Z'));
});

test('cups are counted per drink, most first', () => {
  const order = (productName, qty) => ({ productName, qty });
  assert.deepEqual(
    tally([order('Coffee', 2), order('Latte', 30), order('Tea', 2), order('Latte', 1)]),
    [
      { productName: 'Latte', cups: 31 },
      { productName: 'Coffee', cups: 2 },
      { productName: 'Tea', cups: 2 },
    ],
  );
  assert.deepEqual(tally([]), []);
});

test('settings hold together, whatever was stored or typed', () => {
  assert.deepEqual(sane(), defaults);
  assert.deepEqual(sane({ late: 'x', overdue: -1, sound: 'yes', other: 1 }), defaults);
  for (const late of [0, -5, 1.5, 241, '7']) assert.equal(sane({ late }).late, defaults.late);
  assert.deepEqual([sane({ late: 1 }).late, sane({ late: 240 }).late], [1, 240]);
  const { late, overdue } = sane({ late: 20, overdue: 10 });
  assert.deepEqual([late, overdue], [20, 21]);
  assert.deepEqual(sane({ late: 2, overdue: 4, sound: true, awake: true }), {
    late: 2,
    overdue: 4,
    sound: true,
    awake: true,
  });
});

test('one tab holds the lease until it gives it up, forgets it, or is gone', () => {
  const first = renewed(null, 'a', 1000, true);
  assert.equal(renewed(first, 'b', 2000, true), undefined);
  assert.ok(isHeldBy(first, 'a') && !isHeldBy(first, 'b'));
  assert.ok(isDoneElsewhere(first, 'b', 2000) && !isDoneElsewhere(first, 'a', 2000));
  const again = renewed(first, 'a', 5000, false);
  assert.equal(renewed(again, 'b', 10_999, true), undefined);
  assert.ok(!isDoneElsewhere(again, 'b', 6000)); // its stream is not live
  assert.ok(isHeldBy(renewed(again, 'b', 11_000, true), 'b')); // the first tab is gone
  for (const broken of ['', '{', '{}', 'null', JSON.stringify({ tab: 'a', until: 1e15 })])
    assert.ok(isHeldBy(renewed(broken, 'b', 1000, true), 'b'), broken);
});

test('what one tab changes of an order leaves what another one changed, or forgot', async () => {
  const kept = new Map();
  globalThis.location = { search: '' };
  globalThis.localStorage = {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => kept.set(name, text),
    removeItem: (name) => kept.delete(name),
  };
  const { change, forget, remember, stored } = await import('../../http/page/my_orders.js');
  const order = { key: 'a', placed: 1, status: 'Order END' };
  remember(order);
  change('a', { wish: { key: 'w', kind: 'cancel' } });
  change('a', { status: 'PAY END' });
  assert.deepEqual(stored('a'), {
    ...order, status: 'PAY END', wish: { key: 'w', kind: 'cancel' },
  });
  change('a', { wish: undefined });
  assert.deepEqual(stored('a'), { ...order, status: 'PAY END' });
  forget(order);
  change('a', { status: 'DELIVERY READY' });
  assert.equal(stored('a'), undefined);
});

test('what may pass is sent again until the answer is certain, ' +
    'as late as the server asks', async () => {
  const answers = [
    { status: 0 },
    { status: 503, retryAfter: 2 },
    { status: 504 },
    { status: 201, ok: true },
  ];
  const pauses = [];
  const waits = [];
  const answer = await attempt(async () => answers.shift(), {
    pause: async (milliseconds) => pauses.push(milliseconds),
    random: () => 0,
    onWait: ({ status }) => waits.push(status),
  });
  assert.equal(answer.status, 201);
  assert.deepEqual(pauses, [500, 2000, 2000]);
  assert.deepEqual(waits, [0, 503, 504]);
});

test('an attempt ends when it is called off, when its time is over, and at a refusal', async () => {
  const off = new AbortController();
  const called = await attempt(async () => ({ status: 503 }), {
    signal: off.signal,
    pause: async () => off.abort(),
  });
  assert.equal(called.status, 503);
  let time = 0;
  const late = await attempt(async () => ({ status: 0 }), {
    limit: 3000,
    now: () => (time += 1000),
    pause: async () => {},
  });
  assert.equal(late.status, 0);
  const refused = await attempt(async () => ({ status: 422 }), {
    pause: () => assert.fail('it waited'),
  });
  assert.equal(refused.status, 422);
});

test('a wish whose time is over is not sent, not even once', async () => {
  const send = () => assert.fail('it was sent');
  for (const limit of [0, -1, timeLeft(0, 15 * 60_000, 15 * 60_000)]) {
    const answer = await attempt(send, { limit });
    assert.ok(answer.expired && !answer.ok && answer.status === 0);
  }
});

test('an attempt that a sleeping machine held up is not sent again', async () => {
  let time = 0;
  let sent = 0;
  const answer = await attempt(async () => (++sent, { status: 503 }), {
    limit: 60_000,
    now: () => time,
    pause: async () => (time += 2 * 24 * 3_600_000),
  });
  assert.deepEqual([sent, answer], [1, { status: 503 }]);
});

test('an attempt whose time is over while asked neither waits nor says that it does', async () => {
  let time = 0;
  const answer = await attempt(async () => ((time = 5000), { status: 503 }), {
    limit: 3000,
    now: () => time,
    pause: () => assert.fail('it waited'),
    onWait: () => assert.fail('it said that it waits'),
  });
  assert.equal(answer.status, 503);
});

test('a wish has the time that is left of its lifetime, by either clock', () => {
  const cases = [
    [1000, 1000, 500],
    [1000, 1499, 1],
    [1000, 1500, 0],
    [1000, 999_999, 0],
    [1499, 1000, 1], // the clock was set back
    [9000, 1000, 0],
    [undefined, 1000, 0],
  ];
  for (const [asked, now, left] of cases) assert.equal(timeLeft(asked, now, 500), left);
});

test('the second half of a double touch is told from a touch of its own', () => {
  const before = { time: 1000, x: 50, y: 50 };
  const cases = [
    [{ time: 1120, x: 52, y: 48 }, true],
    [{ time: 1499, x: 50, y: 50 }, true],
    [{ time: 1500, x: 50, y: 50 }, false],
    [{ time: 1100, x: 90, y: 50 }, false],
  ];
  for (const [touch, rest] of cases) assert.equal(isRest(before, touch), rest);
});

test('a card that slid to where another one was takes no touch for 400 ms', () => {
  const at = (left) => ({ left, top: 0, width: 90, height: 90 });
  const places = new SettledPlaces();
  places.learn(new Map([[7, at(0)], [14, at(100)]]), 1000);
  assert.ok(places.isSettled(7, 1000) && places.isSettled(14, 1000)); // nothing was there before
  places.learn(new Map([[14, at(0)]]), 2000);
  assert.deepEqual(
    [2120, 2399, 2400].map((time) => places.isSettled(14, time)),
    [false, false, true],
  );
  places.learn(new Map([[14, at(0)]]), 2200); // drawn again: that counts from the first time
  assert.ok(places.isSettled(14, 2400));
  places.learn(new Map([[14, at(0)], [15, at(100)]]), 2600); // to a place left long ago
  assert.ok(places.isSettled(15, 2600));
  places.learn(new Map([[15, at(100)]]), 3000);
  places.learn(new Map([[15, at(0)]]), 3300); // into a gap, which a finger may still mean
  assert.ok(!places.isSettled(15, 3300));
  places.learn(new Map([[15, { ...at(0), height: 120 }]]), 4000); // it grew where it was
  assert.ok(places.isSettled(15, 4000) && places.areAll(4000));
});

test('who scrolls sees what moves: what went elsewhere with the page takes a touch at once', () => {
  const at = (top) => ({ left: 0, top, width: 90, height: 90 });
  const places = new SettledPlaces();
  places.learn(new Map([[1, at(0)], [2, at(100)]]), 1000);
  places.follow(new Map([[1, at(-100)], [2, at(0)]]));
  assert.ok(places.isSettled(2, 1000));
  places.learn(new Map([[1, at(0)], [2, at(100)]]), 1100); // a notice came
  assert.ok(!places.isSettled(1, 1100) && places.isSettled(2, 1100));
});

test('only what was refused for certain may be given up', () => {
  assert.deepEqual(
    [0, 500, 502, 504].map((status) => isCertain({ status })),
    [false, false, false, false],
  );
  assert.deepEqual(
    [503, 507, 422].map((status) => isCertain({ status })),
    [true, true, true],
  );
  assert.ok(isPassing({ status: 409, problem: { type: '/problems/operation-running' } }));
  assert.ok(!isPassing({ status: 409, problem: { type: '/problems/already-paid' } }));
  assert.ok(pauseBefore(50, {}, 1) <= 12_000);
});

test('both languages have every text, with the same blanks', () => {
  const blanks = (text) =>
    [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name))].sort();
  assert.deepEqual(Object.keys(texts.ko).sort(), Object.keys(texts.en).sort());
  for (const [key, text] of Object.entries(texts.en)) {
    assert.ok(texts.ko[key].length > 0, key);
    assert.deepEqual(blanks(texts.ko[key]), blanks(text), key);
  }
});

test('customers are spoken to in one tone, the staff in another', () => {
  for (const [key, text] of Object.entries(customerTexts.ko)) {
    assert.ok(texts.ko[key], key);
    assert.notEqual(textOf('ko', key, {}, true), textOf('ko', key), key);
    assert.doesNotMatch(text, /니다/, key);
  }
  const ofCustomers = /^(shop|order|stamps|now|ready|kiosk)\./;
  for (const [key, text] of Object.entries(texts.ko)) {
    if (ofCustomers.test(key)) assert.doesNotMatch(text, /니다/, key);
    else assert.doesNotMatch(text, /(아|어|해|돼|예|에)요/, key);
  }
});

test('figures of today are of the orders of today, whenever their last step was', () => {
  const midnight = midnightBefore(Date.parse('2026-11-26T10:00:00'));
  assert.equal(midnight, Date.parse('2026-11-26T00:00:00'));
  const changedAt = '2026-11-26T09:30:00'; // uncollected orders of days ago are tidied up
  const at = (status, orderedAt, qty) => ({
    ...trace(1, status), qty, cost: qty * 100, orderedAt, changedAt,
  });
  const figures = figuresSince(
    [
      at('PAY END', '2026-11-26T09:00:00', 2),
      at('DELIVERY END', '2026-11-26T00:00:00', 3),
      at('ORDER CANCEL', '2026-11-26T09:00:00', 4),
      at('Order END', '2026-11-26T09:00:00', 5),
      at('DELIVERY END', '2026-11-25T23:59:59', 6),
      at('PAY END', undefined, 7),
    ],
    midnight,
  );
  const { orders, sold, cups, won, cancelled } = figures;
  assert.deepEqual([orders, sold, cups, won, cancelled], [4, 2, 5, 500, 1]);
});

test('every drink and status has its words', () => {
  assert.equal(menu.length, 10);
  for (const { productName } of menu) assert.ok(texts.en[`drink.${productName}`], productName);
  for (const status of statuses) {
    assert.ok(texts.en[`status.${status}`] && texts.en[`now.${status}`], status);
  }
});

test('blanks are filled, and words follow the count', () => {
  assert.equal(textOf('en', 'board.count', { count: 1 }), '1 order');
  assert.equal(textOf('en', 'board.count', { count: 2 }), '2 orders');
  assert.equal(textOf('ko', 'board.count', { count: 2 }), '주문 2건');
  assert.equal(textOf('en', 'no such key'), 'no such key');
});

test('the language is the one wished for, ' +
    'else the first of the browser’s that is spoken here', () => {
  assert.equal(chooseLanguage('ko', ['en-GB']), 'ko');
  assert.equal(chooseLanguage(null, ['fr', 'ko-KR', 'en']), 'ko');
  assert.equal(chooseLanguage('fr', ['fr']), 'en');
});

test('a phone number is 7 to 15 digits, however grouped: as the program reads them', () => {
  const numbering = {
    KR: korea,
    DE: { callingCode: '49', trunk: '0' },
    US: { callingCode: '1', trunk: '' },
    IT: { callingCode: '39', trunk: '' },
  };
  const cases = JSON.parse(readFileSync(new URL('../phone_numbers.json', import.meta.url), 'utf8'));
  assert.ok(cases.length > 70);
  for (const { typed, normal, country = 'KR' } of cases) {
    const home = numbering[country];
    assert.equal(normalisedPhone(typed, home) ?? null, normal, JSON.stringify(typed));
    if (normal) assert.equal(normalisedPhone(normal, home), normal, normal);
  }
});

test('orders count in the minute in which they were seen to come', () => {
  const rate = new OrderRate(3);
  rate.learn(100, 60_000);
  rate.learn(104, 80_000);
  rate.learn(110, 121_000);
  assert.deepEqual(
    rate.series(121_000).map(({ orders }) => orders),
    [undefined, 4, 6],
  );
  assert.equal(rate.lastMinute(), 10);
  const kept = new OrderRate(3, JSON.parse(JSON.stringify(rate)));
  kept.learn(111, 130_000);
  assert.deepEqual(
    kept.series(130_000).map(({ orders }) => orders),
    [undefined, 4, 7],
  );
  kept.learn(5, 140_000); // other data: no minute loses orders
  assert.deepEqual(
    kept.series(140_000).map(({ orders }) => orders),
    [undefined, 4, 7],
  );
  kept.learn(900, 400_000); // nobody looked for minutes
  assert.deepEqual(
    kept.series(400_000).map(({ orders }) => orders),
    [undefined, undefined, 0],
  );
});

test('numbers on the display are as large as their box allows', () => {
  assert.deepEqual(layout(1, 2, 900, 800), { across: 1, down: 1, size: 900 / 1.59 });
  for (const count of [0, 1, 2, 7, 40]) {
    const { across, down, size } = layout(count, 3, 900, 800);
    assert.ok(across * down >= count && size > 0);
    assert.ok(size * (3 * 0.62 + 0.35) * across <= 900 + 1e-9);
  }
});

test('charts end at a number with two good steps', () => {
  assert.deepEqual([0, 2, 3, 7, 11, 25, 41].map(niceMost), [2, 2, 4, 10, 20, 40, 100]);
});
