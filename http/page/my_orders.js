// The orders of this browser, remembered in it: one stored item for each, so that two tabs do not
// overwrite each other's.

import { isEnded } from './traces.js';

const prefix = 'skanu.order.';
const most = 30;

/// An order as it is remembered: the drink and `key`, the Idempotency-Key under which it is placed,
/// and then
///   placed   when the customer asked for it (local time)
///   id       once the shop took it
///   status   the last that was seen of its trace
///   paid     true once it was paid
///   wish     { kind: 'pay' | 'cancel', key, body, asked } while that is under way; `asked` is when
///            the customer asked for it (local time)
///   refused  true if the shop did not take it; unknown: true if that could not be found out;
///            expired: true if the page was away until it was too late to send it
/// Newest first.
export function remembered() {
  try {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(prefix))
      .map((name) => orderIn(localStorage.getItem(name)))
      .filter((order) => order !== undefined)
      .sort((a, b) => b.placed - a.placed);
  } catch {
    return []; // storage is switched off
  }
}

/// Undefined for a text that is no order.
function orderIn(text) {
  try {
    const order = JSON.parse(text);
    return order?.key ? order : undefined;
  } catch {
    return undefined;
  }
}

/// Nothing more will become of it, whether the shop ever took it or not.
function isOver({ status, refused, unknown, expired, gone }) {
  return isEnded(status) || refused || unknown || expired || gone;
}

export function remember(order) {
  try {
    localStorage.setItem(prefix + order.key, JSON.stringify(order));
    for (const old of remembered().slice(most)) if (isOver(old)) forget(old);
  } catch {
    // Storage is full or switched off: the order lives as long as the page does.
  }
}

export function forget(order) {
  try {
    localStorage.removeItem(prefix + order.key);
  } catch {
    // It was never stored.
  }
}

/// Calls `onOrder` for each order that another tab of this browser adds.
export function onOtherTab(onOrder) {
  addEventListener('storage', (event) => {
    if (!event.key?.startsWith(prefix) || event.oldValue) return;
    const order = orderIn(event.newValue);
    if (order) onOrder(order);
  });
}
