// The board's picture of the shop, which knows no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShopFloor } from '../../http/page/shop_floor.js';
import { columns, isCancelled, statuses } from '../../http/page/traces.js';
import { trace } from './sample_traces.js';

test('the floor takes an order through its columns and lets it go', () => {
  const floor = new ShopFloor();
  assert.equal(floor.take(trace(1, 'Order END')), undefined);
  assert.equal(floor.take(trace(1, 'PAY END', 'a')), 'entered');
  assert.equal(floor.take(trace(1, 'PAY END', 'a')), undefined);
  assert.equal(floor.take(trace(1, 'DELIVERY READY', 'b')), 'moved');
  assert.equal(floor.get(1).since, 'b');
  assert.equal(floor.take(trace(1, 'DELIVERY END')), 'left');
  assert.deepEqual(floor.all(), []);
});

/// Lists of all columns, whole.
function listed(...traces) {
  return columns.map(({ status, newestFirst }) => {
    const own = traces.filter((one) => one.status === status);
    return { status, newestFirst, traces: own, total: own.length };
  });
}

test('a list that was read before the stream spoke brings nothing back', () => {
  const floor = new ShopFloor();
  floor.take(trace(1, 'PAY END'), 5);
  floor.take(trace(1, 'DELIVERY END'), 20);
  floor.take(trace(2, 'DELIVERY START', 'c'), 20);
  floor.replace(listed(trace(1, 'PAY END'), trace(2, 'PAY END')), 10);
  assert.equal(floor.get(1), undefined);
  assert.equal(floor.get(2).status, 'DELIVERY START');
});

test('an order that left while nobody listened is gone after the lists are read', () => {
  const floor = new ShopFloor();
  floor.take(trace(1, 'PAY END'), 5);
  floor.take(trace(2, 'PAY END'), 15);
  const { gone } = floor.replace(listed(trace(3, 'PAY END')), 10);
  assert.deepEqual(gone.map(({ id }) => id), [1]);
  assert.deepEqual(
    floor
      .all()
      .map(({ id }) => id)
      .sort(),
    [2, 3],
  );
});

test('a cancelled order is told from one that is done', () => {
  const floor = new ShopFloor();
  for (const cancel of statuses.filter(isCancelled)) {
    floor.take(trace(cancel, 'PAY END'));
    assert.equal(floor.take(trace(cancel, cancel)), 'cancelled');
  }
  assert.equal(floor.take(trace(9, 'ORDER CANCEL')), undefined);
});

test('the floor is bounded and says that it left something out', () => {
  const floor = new ShopFloor(2);
  for (const id of [1, 2, 3]) floor.take(trace(id, 'PAY END'));
  assert.equal(floor.all().length, 2);
  assert.ok(floor.overflowed);
  for (let id = 10; id < 5000; ++id) floor.take(trace(id, 'DELIVERY END'));
  assert.equal(floor.take(trace(2, 'DELIVERY READY')), 'moved');
});

test('what a list leaves out is counted, and nothing that it could not name is let go', () => {
  const [making, ready] = columns;
  const floor = new ShopFloor();
  const cut = (status, newestFirst, ids, total) => ({
    status, newestFirst, total, traces: ids.map((id) => trace(id, status)),
  });
  for (const id of [1, 5, 7, 30]) floor.take(trace(id, 'DELIVERY READY'), 5);
  const lists = [
    cut('PAY END', false, [10, 11], 5),
    cut('DELIVERY READY', true, [8, 6], 400),
    cut('DELIVERY START', true, [], 0),
  ];
  const { gone } = floor.replace(lists, 10);
  // The list of ready orders goes back to 6: of 1 and 5 it says nothing.
  assert.deepEqual(gone.map(({ id }) => id).sort(), [30, 7]);
  assert.deepEqual(floor.inColumn(ready).map(({ id }) => id), [1, 5, 6, 8]);
  assert.deepEqual([floor.unlisted(making), floor.unlisted(ready)], [3, 396]);
  assert.ok(floor.overflowed);
  floor.replace(lists, 10 + 31 * 60_000); // not for ever
  assert.deepEqual(floor.inColumn(ready).map(({ id }) => id), [6, 8]);
  floor.replace(listed(trace(10, 'PAY END')), 10 + 32 * 60_000);
  assert.ok(!floor.overflowed);
  assert.equal(floor.unlisted(making), 0);
});

test('lists tell what is new, but for the first ones and what moves up in a cut list', () => {
  const floor = new ShopFloor();
  const changesOf = (lists) =>
    floor.replace(lists, 10).changes.map(([change, { id }]) => `${id} ${change}`);
  assert.deepEqual(changesOf(listed(trace(1, 'PAY END'))), []);
  assert.deepEqual(
    changesOf(listed(trace(1, 'DELIVERY READY'), trace(2, 'PAY END'), trace(3, 'DELIVERY READY'))),
    ['2 entered', '1 moved', '3 entered'],
  );
  const cut = listed(trace(2, 'PAY END'), trace(3, 'DELIVERY READY'));
  cut[0].total = 9;
  assert.deepEqual(changesOf(cut), []);
  assert.deepEqual(changesOf(listed(trace(4, 'PAY END'), trace(2, 'DELIVERY READY'))), ['2 moved']);
});

test('a time that is told later does not overwrite one of another status', () => {
  const floor = new ShopFloor();
  floor.replace(listed(trace(1, 'PAY END')), 0);
  floor.setSince(1, 'DELIVERY READY', 'wrong');
  assert.equal(floor.get(1).since, undefined);
  floor.setSince(1, 'PAY END', 'right');
  floor.setSince(1, 'PAY END', 'late');
  assert.equal(floor.get(1).since, 'right');
});

test('the longest-waiting order comes first in its column', () => {
  const floor = new ShopFloor();
  floor.take(trace(1, 'PAY END', '2026-11-26T10:05:00.000Z'));
  floor.take(trace(2, 'PAY END', '2026-11-26T10:04:00.000Z'));
  assert.deepEqual(
    floor.inColumn(columns[0]).map(({ id }) => id),
    [2, 1],
  );
});

test('a list’s time of the last step is since when an order waits', () => {
  const floor = new ShopFloor();
  floor.replace(listed({ ...trace(1, 'PAY END'), changedAt: 'a' }), 0);
  assert.equal(floor.get(1).since, 'a');
  floor.take({ ...trace(1, 'DELIVERY READY', 'late'), changedAt: 'b' });
  assert.equal(floor.get(1).since, 'b');
});
