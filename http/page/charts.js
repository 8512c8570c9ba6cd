// Small charts as SVG. The numbers stand beside them as text or in a table.

import { svg } from './dom.js';

const width = 640;
const height = 250;
const foot = 30;
const head = 14;
const side = 56;

/// Bars for `values` (undefined: not known), with `labels` under some of them: { index: text }.
export function barChart(values, labels, description) {
  const most = niceMost(Math.max(0, ...values.filter((value) => value !== undefined)));
  const step = (width - side) / values.length;
  const y = (value) => head + (height - head - foot) * (1 - value / most);
  const lines = [0, most / 2, most].map((value) =>
    svg(
      'g',
      {},
      svg('line', { class: 'grid', x1: side, x2: width, y1: y(value), y2: y(value) }),
      text(side - 8, y(value) + 4, String(value), 'end'),
    ),
  );
  const bars = values.map((value, n) =>
    svg(
      'rect',
      value === undefined
        ? {
            class: 'bar unknown',
            x: side + n * step + 1.5,
            y: y(0) - 2,
            width: step - 3,
            height: 2,
          }
        : {
            class: 'bar',
            x: side + n * step + 1.5,
            y: y(value),
            width: step - 3,
            height: y(0) - y(value),
            rx: 2,
          },
    ),
  );
  const names = Object.entries(labels).map(([n, name]) =>
    text(side + (Number(n) + 0.5) * step, height - 6, name, 'middle'),
  );
  return chart(width, height, description, ...lines, ...bars, ...names);
}

/// A line for `values` between 0 and `most`; undefined values leave a gap.
export function lineChart(values, most, description) {
  const step = 240 / Math.max(1, values.length - 1);
  const y = (value) => 58 - (value / most) * 52;
  let path = '';
  values.forEach((value, n) => {
    if (value !== undefined)
      path += `${values[n - 1] === undefined ? 'M' : 'L'}${n * step} ${y(value)}`;
  });
  return chart(
    240,
    64,
    description,
    svg('line', { class: 'grid', x1: 0, x2: 240, y1: y(0), y2: y(0) }),
    svg('line', { class: 'grid limit', x1: 0, x2: 240, y1: y(most / 2), y2: y(most / 2) }),
    svg('path', { class: 'line', d: path }),
  );
}

/// One bar, as long as `value` is of `most`.
export function shareBar(value, most) {
  const share = most > 0 ? (value / most) * 100 : 0;
  return svg(
    'svg',
    { viewBox: '0 0 100 10', class: 'share', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { class: 'track', width: 100, height: 10, rx: 1.5 }),
    svg('rect', { class: 'bar', width: share, height: 10, rx: 1.5 }),
  );
}

/// A mark for each look at something, the newest last: high where it was up, low where it was down.
export function upDown(looks, most, description) {
  const step = 240 / most;
  const first = most - looks.length;
  return chart(
    240,
    28,
    description,
    svg('line', { class: 'grid', x1: 0, x2: 240, y1: 26, y2: 26 }),
    ...looks.map((up, n) =>
      svg('rect', {
        class: up ? 'up' : 'down',
        x: (first + n) * step + 0.5,
        y: up ? 4 : 18,
        width: Math.max(1, step - 1),
        height: up ? 22 : 8,
      }),
    ),
  );
}

/// The next number that makes two good steps: 2, 4, 10, 20, 40, 100 …
export function niceMost(value) {
  for (let power = 1; ; power *= 10) {
    for (const factor of [2, 4, 10]) if (value <= factor * power) return factor * power;
  }
}

function chart(w, h, description, ...shapes) {
  return svg(
    'svg',
    { viewBox: `0 0 ${w} ${h}`, class: 'chart', role: 'img', 'aria-label': description },
    ...shapes,
  );
}

function text(x, y, content, anchor) {
  const element = svg('text', { x, y, 'text-anchor': anchor });
  element.textContent = content;
  return element;
}
