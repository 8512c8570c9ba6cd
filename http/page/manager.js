// The manager's page: how many orders, where they stand, and how the services are.

import { get, inParallel } from './api.js';
import { barChart, lineChart, shareBar, upDown } from './charts.js';
import { byId, el, setText } from './dom.js';
import { clockTime, number, onLanguage, t, translatePage } from './i18n.js';
import { showNotices } from './notices.js';
import { OrderRate } from './order_rate.js';
import { statuses } from './traces.js';

const every = 3_000;
const minutes = 30;
const looks_kept = 60;
const requests_at_once = 3;
const stored = 'skanu.rate';

const rate = new OrderRate(minutes, stored_rate());
const counts = new Map(); // by status
const failure_rates = [];
const lately = new Map(); // component -> its last looks, true where it was up
let health = { components: {} };
let breakers;
let total;
let read_at;

translatePage();
onLanguage(draw);
showNotices((found) => {
  health = found;
  for (const name of new Set([...lately.keys(), ...Object.keys(found.components)])) {
    if (!lately.has(name)) lately.set(name, []);
    keep(lately.get(name), found.components[name] === 'UP');
  }
  byId('live').dataset.state = found.reached ? 'live' : 'lost';
  draw();
}, every);
look();

async function look() {
  if (!document.hidden) {
    await inParallel(
      [readTotal, readBreakers, ...statuses.map((status) => () => readCount(status))],
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

async function readBreakers() {
  const answer = await get('/actuator/circuitbreakers');
  breakers = answer.body?.circuitBreakers;
  keep(failure_rates, known(breakers?.payment?.failureRate));
}

function keep(list, value) {
  list.push(value);
  if (list.length > looks_kept) list.shift();
}

/// The breaker says −1 where it has seen too few calls.
function known(percent) {
  return percent >= 0 ? percent : undefined;
}

function draw() {
  const live = byId('live');
  setText(live, t(`live.${live.dataset.state ?? 'connecting'}`));
  drawRate();
  drawCounts();
  drawBreaker();
  drawServices();
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

function drawBreaker() {
  const breaker = breakers?.payment;
  const percent = (value) =>
    known(value) === undefined ? t('manager.tooFew') : number(value / 100, { style: 'percent' });
  const shown = (value, form = number) => (breaker ? form(value) : t('manager.unknown'));
  const state = el('strong', {
    className: `state ${breaker?.state ?? ''}`,
    textContent: breaker ? t(`breaker.${breaker.state}`) : t('manager.unknown'),
  });
  fillTable(byId('breaker'), 'manager.breaker', undefined, [
    [t('manager.state'), [state]],
    [
      t('manager.failureRate'),
      [
        lineChart(
          failure_rates,
          100,
          t('manager.breakerChart', { rate: shown(breaker?.failureRate, percent) }),
        ),
        shown(breaker?.failureRate, percent),
      ],
    ],
    [t('manager.slowRate'), shown(breaker?.slowCallRate, percent)],
    [t('manager.buffered'), shown(breaker?.bufferedCalls)],
    [t('manager.failed'), shown(breaker?.failedCalls)],
    [t('manager.notPermitted'), shown(breaker?.notPermittedCalls)],
  ]);
}

function drawServices() {
  const rows = [...lately].map(([name, looks]) => {
    const status = health.components[name];
    const word = t(status ? `health.${status}` : 'manager.unknown');
    return [
      t(`service.${name}`),
      [el('strong', { className: `state ${status ?? ''}`, textContent: word })],
      [
        upDown(
          looks,
          looks_kept,
          t('manager.latelyChart', { up: looks.filter(Boolean).length, all: looks.length }),
        ),
      ],
    ];
  });
  fillTable(
    byId('services'),
    'manager.services',
    ['manager.service', 'manager.state', 'manager.lately'],
    rows,
  );
}

/// Puts a table of these rows into a place; the first cell of each row is its heading. A cell is a
/// text or a list of elements and texts. `heads` are keys of the columns' names.
function fillTable(place, caption, heads, rows) {
  const cell = (tag, content, properties) => el(tag, properties, ...[content].flat());
  place.replaceChildren(
    el(
      'table',
      {},
      el('caption', { className: 'hidden-text', textContent: t(caption) }),
      heads
        ? el('thead', {}, el('tr', {}, ...heads.map((key) => cell('th', t(key), { scope: 'col' }))))
        : undefined,
      el(
        'tbody',
        {},
        ...rows.map(([name, ...values]) =>
          el(
            'tr',
            {},
            cell('th', name, { scope: 'row' }),
            ...values.map((value) => cell('td', value)),
          ),
        ),
      ),
    ),
  );
}

function stored_rate() {
  try {
    return JSON.parse(sessionStorage.getItem(stored)) ?? {};
  } catch {
    return {};
  }
}
