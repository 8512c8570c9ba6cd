// The picture of an order's progress: its steps as a row of icons, each with its text.

import { el, svg, setText } from './dom.js';
import { t } from './i18n.js';
import { isCancelled, presentStep, steps } from './traces.js';

const icons = {
  ordered: ['M6 3h12v18l-3-2-3 2-3-2-3 2z', 'M9.5 8h5', 'M9.5 12h5'],
  paid: [
    'M5 6h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2z',
    'M3 10.5h18',
    'M7 15h3',
  ],
  making: [
    'M5 10h11v5a4.5 4.5 0 0 1-4.5 4.5h-2A4.5 4.5 0 0 1 5 15z',
    'M16 11h1.5a2.5 2.5 0 0 1 0 5H16',
    'M8.5 7c0-1.3 1-1.3 1-3',
    'M12.5 7c0-1.3 1-1.3 1-3',
  ],
  ready: ['M6 17v-6a6 6 0 0 1 12 0v6l1.5 2h-15z', 'M10.5 21.5h3', 'M12 5V3'],
  underway: [
    'M6 20a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
    'M18 20a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
    'M6 17l3.5-8h5L18 17',
    'M8 12.5h8',
    'M7.5 9h3.5',
  ],
  delivered: ['M4.5 13l5 5L19.5 7'],
  cancelled: ['M6 6l12 12', 'M18 6L6 18'],
};

export function icon(name) {
  return svg(
    'svg',
    { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true', focusable: 'false' },
    ...icons[name].map((d) => svg('path', { d })),
  );
}

/// A list of the steps; `update(status)` shows how far an order is.
export function progressPicture() {
  const items = steps.map((step) => {
    const state = el('span', { className: 'hidden-text' });
    const name = el('span', { className: 'step-name' });
    return {
      step,
      state,
      name,
      item: el('li', {}, el('span', { className: 'step-icon' }, icon(step)), name, ' ', state),
    };
  });
  const list = el('ol', { className: 'progress' }, ...items.map(({ item }) => item));

  function update(status) {
    const present = presentStep(status) ?? -1;
    const allDone = status === 'DELIVERY END';
    list.hidden = isCancelled(status);
    items.forEach(({ step, state, name, item }, n) => {
      const is = n < present || allDone ? 'done' : n === present ? 'now' : 'next';
      item.className = is;
      if (is === 'now') item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
      setText(name, t(`step.${step}`));
      setText(state, `(${t(`step.${is}`)})`);
    });
  }

  return { list, update };
}
