// The stamp card of a phone number: ten stamps a row.

import { get } from './api.js';
import { byId, el, setText, svg } from './dom.js';
import { home } from './home.js';
import { onLanguage, t } from './i18n.js';
import { normalisedPhone } from './phone.js';
import { reasonOf } from './problems.js';

const a_row = 10;
const rows_drawn = 4;
const calm = 10_000;
const quick = 700; // stamps follow a payment in a moment
const quick_looks = 6;

/// Keeps the card in the section `stamps`. changed(phoneNumber, order) says that its stamps will
/// change, because of the order with this key; forget(order) that this order's number is not to be
/// seen any more, forget() that none is.
export function stampCard() {
  const field = byId('stamps-phone');
  let phone = '';
  let owner; // the order that this number was paid with; undefined for one that was typed here
  let answer;
  let drawn;
  let looks = 0; // quick ones that remain
  let timer;

  byId('stamps-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const number = normalisedPhone(field.value, home);
    field.setAttribute('aria-invalid', String(number === undefined));
    if (number === undefined) {
      setText(byId('stamps-text'), t('order.phoneWrong'));
      field.focus();
      return;
    }
    owner = undefined;
    show(number);
  });
  document.addEventListener('visibilitychange', () => !document.hidden && look());
  onLanguage(draw);

  function show(number) {
    if (number !== phone) answer = undefined;
    phone = number;
    look();
  }

  async function look() {
    clearTimeout(timer);
    if (!phone || document.hidden) return;
    const asked = phone;
    const found = await get(`/stamps/${encodeURIComponent(asked)}`);
    if (asked !== phone) return;
    // The last known answer stays in sight while the service is away.
    if (found.ok || found.status === 404 || !answer?.ok) answer = found;
    draw();
    clearTimeout(timer);
    timer = setTimeout(look, looks-- > 0 || found.status === 0 ? quick : calm);
  }

  function draw() {
    const qty = answer?.ok ? answer.body.stampQty : undefined;
    setText(byId('stamps-text'), textFor(qty));
    if (qty === undefined) byId('stamps').replaceChildren();
    else if (qty !== drawn) byId('stamps').replaceChildren(picture(Math.max(0, qty)));
    drawn = qty;
    byId('stamps').firstElementChild?.setAttribute('aria-label', t('stamps.rows', rowsOf(qty)));
  }

  function textFor(qty) {
    if (!answer) return t('stamps.hint');
    if (qty === undefined) return answer.status === 404 ? t('stamps.none') : reasonOf(answer);
    const hidden = rowsOf(qty).full - rows_drawn;
    return (
      t('stamps.some', { qty }) + (hidden > 0 ? ` (${t('stamps.moreRows', { rows: hidden })})` : '')
    );
  }

  return {
    changed(number = phone, order = owner) {
      if (!number) return;
      if (number !== phone) owner = order;
      field.value ||= number;
      looks = quick_looks;
      show(number);
    },
    forget(order) {
      if (order !== undefined && order !== owner) return;
      if (order === undefined || normalisedPhone(field.value, home) === phone) field.value = '';
      phone = '';
      owner = answer = undefined;
      clearTimeout(timer);
      draw();
    },
  };
}

function rowsOf(qty = 0) {
  return { full: Math.floor(qty / a_row), rest: qty % a_row };
}

function picture(qty) {
  const { full, rest } = rowsOf(qty);
  const rows = Array.from({ length: Math.min(full, rows_drawn) }, () => row(a_row));
  return el('div', { className: 'stamps', role: 'img' }, ...rows, row(rest));
}

function row(filled) {
  return svg(
    'svg',
    { viewBox: '0 0 400 40', class: 'stamp-row', 'aria-hidden': 'true' },
    ...Array.from({ length: a_row }, (_, n) => stamp(n, n < filled)),
  );
}

function stamp(n, filled) {
  const middle = 20 + n * 40;
  const turn = ((n * 47) % 30) - 15; // stamped by hand
  if (!filled) return svg('circle', { class: 'no-stamp', cx: middle, cy: 20, r: 15 });
  return svg(
    'g',
    { class: 'stamp', transform: `translate(${middle} 20) rotate(${turn})` },
    svg('circle', { r: 17 }),
    svg('path', { d: 'M-8-3h13v6a5 5 0 0 1-5 5h-3a5 5 0 0 1-5-5zM5-1h1.5a2.5 2.5 0 0 1 0 5H5' }),
    svg('path', { d: 'M-4-6c0-2 1.5-1.5 1.5-4M1-6c0-2 1.5-1.5 1.5-4' }),
  );
}
