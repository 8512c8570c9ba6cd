// The screen in the shop: the numbers that are being made, and those that are ready. Nobody touches
// it.

import { byId, el, setText } from './dom.js';
import { now, watchFloor } from './floor_watch.js';
import { language, onLanguage, t, translatePage } from './i18n.js';
import { minutesSince } from './minutes.js';
import { showNotices } from './notices.js';
import { layout } from './numbers_layout.js';
import { columns } from './traces.js';
import { textOf, texts } from './texts.js';

const most_shown = 40;
// An order that nobody collected leaves the screen after so many minutes; `?minutes=` is a setting.
const minutes = Number(new URLSearchParams(location.search).get('minutes'));
const uncollected = minutes > 0 ? minutes : 15;
const newest = 8_000; // for so long a ready number is marked as new
const largest = 0.42; // of the box's height

const arrived = new Map(); // id -> when it became ready here (local time)
const sides = columns.slice(0, 2); // being made, ready

translatePage();
const { floor, takeHealth } = watchFloor((change, trace) => {
  if (trace?.status === 'DELIVERY READY' && change !== undefined) {
    arrived.set(trace.id, Date.now());
    setText(byId('announcer'), t('display.isReady', { ids: trace.id }));
    setTimeout(() => (arrived.delete(trace.id), draw()), newest);
  }
  draw();
});
showNotices(takeHealth);
onLanguage(draw);
addEventListener('resize', draw);
setInterval(draw, 20_000); // what nobody collected leaves

function draw() {
  requestAnimationFrame(() => sides.forEach(drawSide));
}

function drawSide(column) {
  drawHeading(column.name);
  const list = byId(column.name);
  const orders = floor
    .inColumn(column)
    .filter(({ since }) => column.name !== 'ready' || minutesSince(since, now()) < uncollected);
  // The newest ready numbers are the ones that people look for; of those being made, the oldest.
  const shown =
    column.name === 'ready' ? orders.slice(-most_shown).reverse() : orders.slice(0, most_shown);
  const wanted = shown.map((order) => String(order.id));
  // Of ready orders, those that the lists have no room for are the oldest: nobody collects them.
  const unlisted = column.name === 'ready' ? 0 : floor.unlisted(column);
  const rest = orders.length - shown.length + unlisted;
  if (rest > 0) wanted.push(t('display.more', { count: rest }));
  const present = [...list.children].map((item) => item.textContent);
  if (wanted.join() !== present.join()) {
    list.replaceChildren(...wanted.map((text) => el('li', { textContent: text })));
  }
  shown.forEach(({ id }, n) => list.children[n].classList.toggle('new', arrived.has(id)));
  if (rest > 0) list.lastElementChild.className = 'rest';
  size(list, wanted);
}

function size(list, texts_shown) {
  const box = list.parentElement;
  const style = getComputedStyle(box);
  const width = box.clientWidth - parseFloat(style.paddingLeft) * 2;
  const height =
    box.clientHeight - parseFloat(style.paddingTop) * 2 - box.firstElementChild.offsetHeight * 1.4;
  const digits = Math.max(2, ...texts_shown.map((text) => text.length));
  const { across, size: font } = layout(texts_shown.length, digits, width, height);
  list.style.setProperty('--across', across);
  list.style.setProperty('--size', `${Math.floor(Math.min(font, height * largest))}px`);
}

/// In the page's language, and smaller in the others.
function drawHeading(name) {
  const others = Object.keys(texts).filter((other) => other !== language);
  const heading = byId(`${name}-heading`);
  if (heading.lang === language) return;
  heading.lang = language;
  heading.replaceChildren(
    t(`display.${name}`),
    ' ',
    ...others.map((other) =>
      el('span', { lang: other, textContent: textOf(other, `display.${name}`) }),
    ),
  );
}
