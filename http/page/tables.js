// Tables of figures.

import { el } from './dom.js';
import { t } from './i18n.js';

/// Puts a table of these rows into a place; the first cell of each row is its heading. A cell is a
/// text or a list of elements and texts. `heads` are keys of the columns' names.
export function fillTable(place, caption, heads, rows) {
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
