// The customer's page: the menu, the orders of this browser, the stamp card.

import { newKey } from './api.js';
import { byId, el, setText } from './dom.js';
import { drinkPicture } from './drinks.js';
import { drinkName, money, onLanguage, t, translatePage } from './i18n.js';
import { startKiosk } from './kiosk.js';
import { menu } from './menu.js';
import { isKiosk } from './mode.js';
import { onOtherTab, remember, remembered } from './my_orders.js';
import { showNotices } from './notices.js';
import { OrderCard } from './order_card.js';
import { orderStream } from './order_stream.js';
import { showTitle } from './ready.js';
import { stampCard } from './stamps.js';
import { guardTouches } from './touch_guard.js';

const look_again = 3_000;
const most_cups = 20;

const cards = new Map(); // by the order's key, the newest first
let watched = new Set(); // keys of the open orders
const unread = new Set(); // keys of open orders whose trace was not read since it was watched
let gaps = 0; // times at which the stream may have missed something

translatePage();
guardTouches();
const stamps = stampCard();
showNotices();
byId('menu').append(...menu.map(menuItem));
const stream = orderStream({
  onTrace: (trace) => {
    for (const card of cards.values()) if (card.order.id === trace.id) card.take(trace);
  },
  onGap: () => {
    ++gaps;
    for (const card of openCards()) {
      unread.add(card.order.key);
      look(card);
    }
  },
  shares: !isKiosk,
});
for (const order of remembered().reverse()) addCard(order);
onLanguage(watch);
if (isKiosk) startKiosk({ isBusy: () => [...cards.values()].some((card) => card.isBusy), forget });
onOtherTab(
  (order) => (cards.has(order.key) ? cards.get(order.key).adopt(order) : addCard(order)),
  (key) => cards.has(key) && dropCard(cards.get(key)),
);
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
    stampsChanged: (phone, key) => stamps.changed(phone, key),
    changed: watch,
    again: place,
    removed: (removed) => {
      leaveOut(removed);
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

function leaveOut(card) {
  cards.delete(card.order.key);
  stamps.forget(card.order.key);
  watch();
  byId('no-orders').hidden = cards.size > 0;
}

function dropCard(card) {
  card.drop();
  leaveOut(card);
}

/// The customer of a shared tablet has left.
function forget() {
  for (const card of [...cards.values()]) dropCard(card);
  stamps.forget();
}

function openCards() {
  return [...cards.values()].filter((card) => card.isOpen);
}

function watch() {
  const open = openCards();
  stream.watch(open.map((card) => card.order.id).reverse());
  const keys = new Set(open.map((card) => card.order.key));
  for (const key of unread) if (!keys.has(key)) unread.delete(key);
  for (const { order } of open) if (!watched.has(order.key)) unread.add(order.key);
  watched = keys;
  const isReady = ({ order }) => order.status === 'DELIVERY READY';
  showTitle(open.filter(isReady).map(({ order }) => order.id));
}

function lookAround() {
  for (const card of openCards()) if (!stream.isLive() || unread.has(card.order.key)) look(card);
}

/// A stream that begins without the past is enough only once the trace itself was read.
async function look(card) {
  const before = gaps;
  if ((await card.refresh()) && gaps === before) unread.delete(card.order.key);
}

function announce(text) {
  setText(byId('announcer'), text);
}
