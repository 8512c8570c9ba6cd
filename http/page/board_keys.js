// Going about the board by keyboard: Tab from column to column, arrow keys from card to card.

const seen = 400; // milliseconds: from the focus's jump until a key can be meant for the new card

/// Keeps one card of each column reachable by Tab. remember() before the cards are drawn anew,
/// restore(it) after: the focus stays on its card, or goes to the one that took its place, which
/// takes no key at first: the key may have been meant for the card before.
export function boardKeys(board) {
  let jump = { card: undefined, time: -Infinity };
  const lists = () => [...board.querySelectorAll('ul')];
  const cardsOf = (list) => [...list.querySelectorAll('button')];

  board.addEventListener('focusin', (event) => {
    const list = event.target.closest('ul');
    if (list) makeReachable(list, event.target);
  });

  board.addEventListener(
    'click',
    (event) => {
      const byKey = event.detail === 0;
      const isSoon = performance.now() - jump.time < seen;
      if (byKey && isSoon && event.target.closest('.card') === jump.card) event.stopPropagation();
    },
    true,
  );

  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (!step) return;
    const from = document.activeElement;
    if (from?.matches('.card')) {
      event.preventDefault();
      go(from, ...step);
    } else if (from === document.body || from?.id === 'content') {
      const first = board.querySelector('.card');
      if (first) event.preventDefault();
      first?.focus();
    }
  });

  /// To the nearest card in that direction, as the eye sees it.
  function go(from, dx, dy) {
    const here = middle(from);
    let best;
    let least = Infinity;
    for (const card of board.querySelectorAll('.card')) {
      const there = middle(card);
      const ahead = (there.x - here.x) * dx + (there.y - here.y) * dy;
      const aside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
      if (ahead < 8) continue;
      const far = ahead + 3 * aside;
      if (far < least) [best, least] = [card, far];
    }
    best?.focus();
  }

  function remember() {
    const card = document.activeElement?.closest?.('.card');
    if (!card || !board.contains(card)) return undefined;
    const list = card.closest('ul');
    return { card, list, place: cardsOf(list).indexOf(card) };
  }

  function restore(focus) {
    for (const list of lists()) {
      const reachable = list.querySelector('[tabindex="0"]');
      makeReachable(list, reachable ?? cardsOf(list)[0]);
    }
    if (!focus) return;
    const { card, list, place } = focus;
    const stayed = list.contains(card);
    if (stayed) {
      if (document.activeElement !== card) card.focus({ preventScroll: true });
      return;
    }
    const cards = cardsOf(list);
    const next = cards[Math.min(place, cards.length - 1)] ?? board.querySelector('.card');
    jump = { card: next, time: performance.now() };
    (next ?? document.getElementById('content')).focus();
  }

  function makeReachable(list, card) {
    for (const other of cardsOf(list)) other.tabIndex = other === card ? 0 : -1;
  }

  return { remember, restore };
}

function middle(card) {
  const box = card.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
