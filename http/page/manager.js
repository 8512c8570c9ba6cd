// The manager's page: what was sold today, how many orders come, and where they stand.

import { clock, get, inParallel, tracesSince } from './api.js';
import { barChart, shareBar } from './charts.js';
import { byId, el, setText } from './dom.js';
import { clockTime, drinkName, money, number, onLanguage, t, translatePage } from './i18n.js';
import { showNotices } from './notices.js';
import { OrderRate } from './order_rate.js';
import { fillTable } from './tables.js';
import { tally } from './tally.js';
import { figuresSince, midnightBefore } from './today.js';
import { statuses } from './traces.js';

const every = 3_000;
const minutes = 30;
const today_every = 20_000; // and for each page more: a full day must not cost more than a calm one
const most_today = 10_000; // orders
const requests_at_once = 3;
const stored = 'skanu.rate';

const rate = new OrderRate(minutes, stored_rate());
const counts = new Map(); // by status
let today; // { midnight, traces, pages, isPart: there were too many, read: when }
let total;
let read_at;

translatePage();
onLanguage(draw);
showNotices((found) => {
  byId('live').dataset.state = found.reached ? 'live' : 'lost';
  draw();
}, every);
look();
lookAtToday();

async function look() {
  if (!document.hidden) {
    await inParallel(
      [readTotal, ...statuses.map((status) => () => readCount(status))],
      requests_at_once,
      (read) => read(),
    );
    draw();
  }
  setTimeout(look, every);
}

async function readTotal() {
  const answer = await get('/orders?size=1');
  if (!answer.ok) return;
  total = answer.body.page.totalElements;
  read_at = Date.now();
  rate.learn(total, read_at);
  try {
    sessionStorage.setItem(stored, JSON.stringify(rate));
  } catch {
    // Storage is switched off: a reload begins anew.
  }
}

async function readCount(status) {
  const answer = await get(`/orderTraces?status=${encodeURIComponent(status)}&size=1`);
  if (answer.ok) counts.set(status, answer.body.page.totalElements);
  else counts.delete(status);
}

async function lookAtToday() {
  if (!document.hidden) {
    const midnight = midnightBefore(clock.now());
    const found = await tracesSince(midnight, most_today);
    if (found) today = { midnight, ...found, read: Date.now() };
    draw();
  }
  setTimeout(lookAtToday, today ? today_every * today.pages : every);
}

function draw() {
  const live = byId('live');
  setText(live, t(`live.${live.dataset.state ?? 'connecting'}`));
  drawRate();
  drawCounts();
  drawToday();
  setText(byId('age'), read_at ? t('manager.age', { time: clockTime(read_at) }) : '');
}

function drawRate() {
  const series = rate.series(Date.now());
  const now = rate.lastMinute();
  setText(
    byId('rate-now'),
    now === undefined ? t('manager.rateSoon') : t('manager.rateNow', { rate: number(now) }),
  );
  setText(byId('rate-total'), total === undefined ? '' : t('manager.total', { count: total }));
  const values = series.map(({ orders }) => orders);
  const seen = values.filter((value) => value !== undefined);
  const labels = Object.fromEntries(
    [2, 11, 20, minutes - 2].map((n) => [n, clockTime(series[n].start)]),
  );
  byId('rate-chart').replaceChildren(
    barChart(
      values,
      labels,
      t('manager.rateChart', { now: values[values.length - 1] ?? 0, most: Math.max(0, ...seen) }),
    ),
  );
  fillTable(
    byId('rate-table'),
    'manager.rate',
    ['manager.minute', 'manager.orders'],
    series.map(({ start, orders }) => [
      clockTime(start),
      orders === undefined ? t('manager.unknown') : number(orders),
    ]),
  );
}

function drawCounts() {
  const most = Math.max(1, ...counts.values());
  fillTable(
    byId('status-table'),
    'manager.status',
    ['manager.statusWord', 'manager.count'],
    statuses.map((status) => {
      const count = counts.get(status);
      return [
        t(`status.${status}`),
        count === undefined
          ? t('manager.unknown')
          : [el('div', { className: 'share-cell' }, shareBar(count, most), number(count))],
      ];
    }),
  );
}

function drawToday() {
  const figures = today && figuresSince(today.traces, today.midnight);
  const shown = (value, form = number) =>
    figures ? form(value) + (today.isPart ? '+' : '') : t('manager.unknown');
  fillTable(byId('today'), 'manager.today', undefined, [
    [t('manager.todaySold'), shown(figures?.sold)],
    [t('manager.todayCups'), shown(figures?.cups)],
    [t('manager.todayWon'), shown(figures?.won, money)],
    [t('manager.todayCancelled'), shown(figures?.cancelled)],
  ]);
  fillTable(
    byId('today-drinks'),
    'manager.todayDrinks',
    ['manager.drink', 'manager.cups'],
    tally(figures?.soldTraces ?? []).map(({ productName, cups }) => [
      drinkName(productName),
      number(cups),
    ]),
  );
  setText(byId('today-age'), today ? t('manager.age', { time: clockTime(today.read) }) : '');
}

function stored_rate() {
  try {
    return JSON.parse(sessionStorage.getItem(stored)) ?? {};
  } catch {
    return {};
  }
}
