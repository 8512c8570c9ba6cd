// The orders of this browser, remembered in it: one stored item for each, which its tabs share.

import { isKiosk } from './mode.js';
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
///   unsure   how many sendings of the order there were, in all tabs, of which it is not known
///            whether the shop carried them out
///   refused  true if the shop did not take it; unknown: true if that could not be found out;
///            expired: true if the page was away until it was too late to send it
/// Newest first.
export function remembered() {
  if (isKiosk) return [];
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

/// An order as all tabs know it by now; undefined where none is stored.
export function stored(key) {
  try {
    return orderIn(localStorage.getItem(prefix + key));
  } catch {
    return undefined;
  }
}

/// The shop has not said yet whether it takes the order.
export function isWaiting({ id, refused, unknown, expired }) {
  return id === undefined && !refused && !unknown && !expired;
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
  if (isKiosk) return; // the next customer must not see it
  write(order);
  for (const old of remembered().slice(most)) if (isOver(old)) forget(old);
}

/// Changes some of an order, as it is stored by now: another tab may have changed the rest. A value
/// `undefined` takes away. An order that another tab forgot stays forgotten.
export function change(key, changes) {
  const order = stored(key);
  if (order) write({ ...order, ...changes });
}

function write(order) {
  try {
    localStorage.setItem(prefix + order.key, JSON.stringify(order));
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

/// Calls `onOrder` for each order that another tab of this browser adds or changes, and
/// `onForgotten` with the key of each that another tab forgets. An event comes late: what is stored
/// by then holds.
export function onOtherTab(onOrder, onForgotten) {
  if (isKiosk) return;
  addEventListener('storage', (event) => {
    if (!event.key?.startsWith(prefix)) return;
    const key = event.key.slice(prefix.length);
    const order = stored(key);
    if (order) onOrder(order);
    else onForgotten(key);
  });
}
