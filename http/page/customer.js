// The customer's page: the menu, the orders of this browser, the stamp card.

import { newKey } from './api.js';
import { byId, el, setText } from './dom.js';
import { drinkPicture } from './drinks.js';
import { drinkName, money, onLanguage, t, translatePage } from './i18n.js';
import { follow } from './live.js';
import { menu } from './menu.js';
import { onOtherTab, remember, remembered } from './my_orders.js';
import { showNotices } from './notices.js';
import { OrderCard } from './order_card.js';
import { stampCard } from './stamps.js';
import { guardTouches } from './touch_guard.js';

const streams_at_once = 2; // a browser opens few connections to one server
const look_again = 3_000;
const most_cups = 20;

const cards = new Map(); // by the order's key, the newest first
const streams = new Map(); // by the order's key

translatePage();
guardTouches();
const stamps = stampCard();
showNotices();
byId('menu').append(...menu.map(menuItem));
for (const order of remembered().reverse()) addCard(order);
onOtherTab(addCard);
setInterval(lookAround, look_again);

function menuItem(drink) {
  let qty = 1;
  const name = el('h3', {});
  const price = el('p', { className: 'price' });
  const count = el('output', {});
  const step = (change, sign) =>
    el('button', {
      type: 'button',
      className: 'step',
      textContent: sign,
      onclick: () => {
        qty = Math.min(most_cups, Math.max(1, qty + change));
        write();
      },
    });
  const less = step(-1, '−');
  const more = step(1, '+');
  const button = el('button', {
    type: 'button',
    className: 'primary',
    'data-changes': '',
    onclick: () => {
      order(drink, qty);
      qty = 1;
      write();
    },
  });
  onLanguage(write);

  function write() {
    const drink_name = drinkName(drink.productName);
    setText(name, drink_name);
    setText(price, money(drink.price));
    setText(count, String(qty));
    setText(button, t('shop.order'));
    count.setAttribute('aria-label', t('shop.quantity', { drink: drink_name }));
    less.setAttribute('aria-label', t('shop.less', { drink: drink_name }));
    more.setAttribute('aria-label', t('shop.more', { drink: drink_name }));
    less.setAttribute('aria-disabled', String(qty === 1));
    more.setAttribute('aria-disabled', String(qty === most_cups));
    button.setAttribute(
      'aria-label',
      t('shop.orderFor', { qty, drink: drink_name, cost: money(qty * drink.price) }),
    );
  }

  return el(
    'li',
    { className: 'drink-card' },
    drinkPicture(drink.look),
    el('div', { className: 'drink-name' }, name, price),
    el('div', { className: 'stepper' }, less, count, more),
    button,
  );
}

function order({ productId, productName, price }, qty) {
  place({ productId, productName, qty, cost: qty * price, paymentType: 'card' });
}

function place({ productId, productName, qty, cost, paymentType }) {
  const key = newKey();
  const wanted = { key, placed: Date.now(), productId, productName, qty, cost, paymentType };
  remember(wanted);
  addCard(wanted).focus();
}

function addCard(wanted) {
  if (cards.has(wanted.key)) return cards.get(wanted.key);
  const card = new OrderCard(wanted, {
    announce,
    stampsChanged: (phone) => stamps.changed(phone),
    changed: watch,
    again: place,
    removed: (removed) => {
      cards.delete(removed.order.key);
      watch();
      byId('no-orders').hidden = cards.size > 0;
      byId('orders-heading').focus();
    },
  });
  cards.set(wanted.key, card);
  byId('orders').prepend(card.element);
  byId('no-orders').hidden = true;
  card.resume();
  watch();
  return card;
}

/// The newest open orders have a stream each; the others are looked at now and then.
function watch() {
  const open = [...cards.values()].filter((card) => card.isOpen).reverse();
  const streamed = open.slice(0, streams_at_once);
  for (const [key, stream] of streams) {
    if (streamed.some((card) => card.order.key === key)) continue;
    stream.handle.close();
    streams.delete(key);
  }
  for (const card of streamed) {
    if (streams.has(card.order.key)) continue;
    const stream = { live: false, read: false };
    streams.set(card.order.key, stream);
    stream.handle = follow(
      { orderId: card.order.id },
      {
        onTrace: (trace) => card.take(trace),
        onGap: () => look(card, stream),
        onState: (state) => (stream.live = state === 'live'),
      },
    );
  }
}

function lookAround() {
  if (document.hidden) return;
  for (const card of cards.values()) {
    const stream = streams.get(card.order.key);
    if (card.isOpen && !(stream?.live && stream.read)) look(card, stream);
  }
}

/// A stream that begins without the past is enough only once the trace itself was read.
async function look(card, stream = {}) {
  stream.read = await card.refresh();
}

function announce(text) {
  setText(byId('announcer'), text);
}
