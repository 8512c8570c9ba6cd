// One card of the board: made to be read from two metres.

import { el, setText, svg } from './dom.js';
import { drinkName, t } from './i18n.js';
import { minutesSince, urgency } from './minutes.js';

const actions = { making: 'board.toReady', ready: 'board.toUnderway', underway: 'board.toDone' };
// Urgency is told by shape and words, too, never by colour alone.
const shapes = {
  fresh: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z', 'M12 7.5V12l3 2'],
  late: ['M12 3.5 22 20.5H2z', 'M12 10v5', 'M12 17.6v.4'],
  overdue: ['M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8z', 'M12 7v6.5', 'M12 16.6v.4'],
};

/// A card for this id; `update(order, column, { state, now, limits, pressing })` shows an order,
/// `state` being undefined, 'sending' or 'cancelled', `limits` as urgency() takes them. An overdue
/// order that is not `pressing` is marked more quietly: where all are overdue, the eye needs the
/// first.
export function boardCard(id) {
  const hidden = () => el('span', { className: 'hidden-text' });
  const word = hidden();
  const wait = el('span', { className: 'wait' });
  const mark = el('span', { className: 'mark' });
  const minutes = el('span', {});
  const qty = el('span', { className: 'qty' });
  const drink = el('span', {});
  const rest = hidden();
  wait.append(mark, minutes);
  const button = el(
    'button',
    { type: 'button', className: 'card', tabIndex: -1, 'data-id': id, 'data-changes': '' },
    word,
    el('span', { className: 'id', textContent: String(id) }),
    ' ',
    wait,
    ' ',
    el('span', { className: 'what' }, qty, ' ', drink),
    ' ',
    rest,
  );
  const item = el('li', {}, button);
  let shape;

  function update(order, column, { state, now, limits, pressing }) {
    const waited = minutesSince(order.since, now);
    const how = urgency(waited, limits);
    const quiet = how === 'overdue' && !pressing ? 'quiet-alarm' : '';
    button.className = ['card', how, state, quiet, id > 99_999 ? 'long' : '']
      .filter(Boolean)
      .join(' ');
    button.setAttribute('aria-disabled', String(state !== undefined));
    setText(word, t('board.order'));
    setText(
      minutes,
      state === 'sending' ? t('board.sending') : t('board.minutes', { minutes: waited }),
    );
    setText(qty, `${order.qty} ×`);
    setText(drink, drinkName(order.productName));
    setText(
      rest,
      state === 'cancelled' ? '' : `${t(`urgency.${how}`)}. ${t(actions[column.name])}`,
    );
    if (state === 'cancelled') setText(minutes, t('board.cancelledShort'));
    if (shape === how) return;
    shape = how;
    mark.replaceChildren(
      svg(
        'svg',
        { viewBox: '0 0 24 24', class: 'urgency', 'aria-hidden': 'true', focusable: 'false' },
        ...shapes[how].map((d) => svg('path', { d })),
      ),
    );
  }

  return { id, item, button, update };
}
