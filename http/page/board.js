// The staff's board: a column for each status, a card for each order; one touch or key moves it on.

import { attempt, isPassing } from './attempt.js';
import { get, inParallel, newKey, request } from './api.js';
import { boardCard } from './board_card.js';
import { boardKeys } from './board_keys.js';
import { boardTools } from './board_tools.js';
import { chime } from './chime.js';
import { byId, el, setText } from './dom.js';
import { now, watchFloor } from './floor_watch.js';
import { drinkName, onLanguage, t, translatePage } from './i18n.js';
import { untilNextMinute } from './minutes.js';
import { showNotices } from './notices.js';
import { reasonOf } from './problems.js';
import { byWaiting } from './shop_floor.js';
import { tally } from './tally.js';
import { guardTouches } from './touch_guard.js';
import { columnOf, columns, isCancelled } from './traces.js';

const most_drawn = 120; // cards of a column; the others are counted
const few = 8; // cards of the longest column: up to so many they are larger,
const many = 24; // beyond so many they are closer together
const most_pressing = 6; // overdue cards of a column in full colour: those to take next
const most_tallied = 8; // drinks
const cancelled_shown = 8_000;
// A payment is on the board a moment before its delivery can be moved.
const kitchen_follows = 5_000;
const looks_at_once = 4;

const cards = new Map(); // by id
const sending = new Set(); // ids
// id -> the order as it was. It is shown for a while, so that nobody makes it.
const cancelled = new Map();
const places = new Map(); // column name -> its elements
let drawing = false;
let ticking;

translatePage();
guardTouches();
byId('columns').append(...columns.map(columnElement));
const tools = boardTools(draw);
const { floor, takeHealth } = watchFloor((change, trace) => {
  if (change === 'cancelled') showCancelled(cards.get(trace.id)?.order);
  if (change === 'entered' && tools.settings().sound) chime();
  draw();
}, lookAtGone);
showNotices(takeHealth);
onLanguage(draw);
addEventListener('scroll', countUnseen, { passive: true });
addEventListener('resize', countUnseen);
const keys = boardKeys(byId('columns'));

function columnElement(column) {
  const heading = el('h2', { id: `column-${column.name}` });
  const count = el('span', { className: 'count' });
  const list = el('ul', { className: 'cards' });
  const more = el('p', { className: 'quiet more' });
  const drinks = el('p', { className: 'tally' });
  list.addEventListener('scroll', countUnseen, { passive: true });
  places.set(column.name, { heading, count, drinks, list, more });
  return el(
    'section',
    { className: `column ${column.name}`, 'aria-labelledby': heading.id },
    el('div', { className: 'column-head' }, heading, count),
    drinks,
    list,
    more,
  );
}

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawNow();
  });
}

function drawNow() {
  const time = now();
  const focus = keys.remember();
  const left = new Set(cards.keys());
  const shown = new Map(columns.map((column) => [column.name, ordersOf(column)]));
  const most = Math.max(...[...shown.values()].map((orders) => orders.length));
  byId('columns').dataset.many = most <= few ? 'few' : most > many ? 'many' : 'some';
  for (const column of columns) {
    const orders = shown.get(column.name);
    const { heading, count, drinks, list } = places.get(column.name);
    setText(heading, t(`board.${column.name}`));
    setText(count, t('board.count', { count: orders.length + floor.unlisted(column) }));
    if (column === columns[0]) setText(drinks, tallyText(orders));
    const drawn = column.newestFirst ? orders.slice(-most_drawn) : orders.slice(0, most_drawn);
    drawn.forEach((order, n) => {
      const card = cards.get(order.id) ?? newCard(order.id);
      card.order = order;
      left.delete(order.id);
      const state = cancelled.has(order.id)
        ? 'cancelled'
        : sending.has(order.id)
          ? 'sending'
          : undefined;
      card.update(order, column, {
        state,
        now: time,
        limits: tools.settings(),
        pressing: n < most_pressing,
      });
      if (list.children[n] !== card.item) list.insertBefore(card.item, list.children[n] ?? null);
    });
  }
  for (const id of left) {
    cards.get(id).item.remove();
    cards.delete(id);
  }
  countUnseen();
  keys.restore(focus);
  tick();
}

/// The drinks still to be made, most cups first.
function tallyText(orders) {
  const drinks = tally(orders.filter(({ id }) => !cancelled.has(id)));
  const named = drinks.slice(0, most_tallied).map(({ productName, cups }) => {
    return t('board.tally', { drink: drinkName(productName), cups });
  });
  if (drinks.length > most_tallied || floor.unlisted(columns[0]) > 0) named.push('…');
  return drinks.length > 1 ? named.join(' · ') : '';
}

/// Says below each column how many of its orders are out of sight.
function countUnseen() {
  for (const column of columns) {
    const { list, more } = places.get(column.name);
    const orders = ordersOf(column).length + floor.unlisted(column);
    const drawn = [...list.children];
    const unseen = orders - drawn.length + drawn.filter((item) => isOutOfSight(item, list)).length;
    const none = orders === 0 ? t(floor.known ? 'board.nothing' : 'board.unknown') : '';
    setText(more, unseen > 0 ? t('board.more', { count: unseen }) : none);
  }
}

function isOutOfSight(item, list) {
  const frame = list.getBoundingClientRect();
  const { top, height } = item.getBoundingClientRect();
  const middle = top + height / 2;
  return middle < Math.max(0, frame.top) || middle > Math.min(innerHeight, frame.bottom);
}

function ordersOf(column) {
  const struck = [...cancelled.values()].filter((order) => order.status === column.status);
  return [...floor.inColumn(column), ...struck].sort(byWaiting);
}

/// Draws again when a card has waited another minute.
function tick() {
  clearTimeout(ticking);
  const times = floor.all().map((order) => order.since);
  ticking = setTimeout(draw, untilNextMinute(times, now()) + 50);
}

function newCard(id) {
  const card = boardCard(id);
  card.button.addEventListener('click', () => move(id));
  cards.set(id, card);
  return card;
}

async function move(id) {
  const order = floor.get(id);
  const column = columnOf(order?.status);
  if (!column || sending.has(id)) return;
  sending.add(id);
  draw();
  const key = newKey();
  let missing_since; // not since it was asked for: the delivery service may have been away
  const answer = await attempt(
    () => request('PATCH', `/deliveries/${id}`, { body: { deliveryStatus: column.next }, key }),
    {
      passing: (a) =>
        isPassing(a) ||
        (a.status === 404 &&
          performance.now() - (missing_since ??= performance.now()) < kitchen_follows),
    },
  );
  sending.delete(id);
  if (answer.ok) {
    floor.take(
      { ...order, status: column.becomes, timestamp: new Date(now()).toISOString() },
      performance.now(),
    );
    const next = columnOf(column.becomes);
    announce(
      next ? t('board.moved', { id, column: t(`board.${next.name}`) }) : t('board.done', { id }),
    );
  } else {
    announce(t('board.refused', { id, reason: reasonOf(answer) }));
    await look(id);
  }
  draw();
}

/// Somebody else moved it, or it was cancelled: shows what it is now.
async function look(id) {
  const before = floor.get(id);
  const trace = await get(`/orderTraces/${id}`);
  if (!trace.ok) return;
  const change = floor.take(trace.body, performance.now());
  if (change === 'cancelled') showCancelled(before);
}

/// Orders that the lists do not name any more: those that were to be made may be cancelled.
async function lookAtGone(orders) {
  const drawn = orders.filter(({ id, status }) => status === columns[0].status && cards.has(id));
  await inParallel(drawn, looks_at_once, async (order) => {
    const trace = await get(`/orderTraces/${order.id}`);
    if (!trace.ok || !isCancelled(trace.body.status)) return;
    floor.take(trace.body, performance.now());
    showCancelled(order);
  });
}

/// Strikes out the order as it was drawn last, at its place, if it was drawn.
function showCancelled(order) {
  if (!order) return;
  cancelled.set(order.id, order);
  announce(t('board.cancelled', { id: order.id }));
  draw();
  setTimeout(() => {
    cancelled.delete(order.id);
    draw();
  }, cancelled_shown);
}

function announce(text) {
  setText(byId('announcer'), text);
}
