// The operator's page: the circuit breaker, the services and databases, in engineers' words.

import { get } from './api.js';
import { lineChart, upDown } from './charts.js';
import { byId, el, setText } from './dom.js';
import { clockTime, number, onLanguage, t, translatePage } from './i18n.js';
import { showNotices } from './notices.js';
import { fillTable } from './tables.js';

const every = 3_000;
const looks_kept = 60;

const failure_rates = [];
const lately = new Map(); // component -> its last looks, true where it was up
let health = { components: {} };
let breakers;
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
    const answer = await get('/actuator/circuitbreakers');
    breakers = answer.body?.circuitBreakers;
    if (answer.ok) read_at = Date.now();
    keep(failure_rates, known(breakers?.payment?.failureRate));
    draw();
  }
  setTimeout(look, every);
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
  drawBreaker();
  drawServices();
  setText(byId('age'), read_at ? t('manager.age', { time: clockTime(read_at) }) : '');
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
