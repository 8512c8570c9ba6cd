// Reads an order's trace, and merges two accounts of a trace. Knows no page and no network.

/// The trace's words in the order in which they rank: what the view shows is the highest seen, so
/// of two accounts of one order the higher-ranking is the later one, in whatever order they arrive.
export const statuses = [
  'Order END',
  'PAY END',
  'DELIVERY READY',
  'DELIVERY START',
  'DELIVERY END',
  'PAY CANCEL',
  'DELIVERY CANCEL',
  'ORDER CANCEL',
];

/// The steps of an order as a customer sees them, in order.
export const steps = ['ordered', 'paid', 'making', 'ready', 'underway', 'delivered'];

/// The columns of the board, and what the delivery's next step is called on the wire. Where a
/// column has more orders than can be shown, those `newestFirst` are the ones that matter: what
/// nobody collected, or marked as delivered, piles up for days.
export const columns = [
  { name: 'making', status: 'PAY END', next: 'READY', becomes: 'DELIVERY READY' },
  {
    name: 'ready',
    status: 'DELIVERY READY',
    next: 'START',
    becomes: 'DELIVERY START',
    newestFirst: true,
  },
  {
    name: 'underway',
    status: 'DELIVERY START',
    next: 'END',
    becomes: 'DELIVERY END',
    newestFirst: true,
  },
];

/// −1 for a word that is none of the trace's.
export function rank(status) {
  return statuses.indexOf(status);
}

/// The later of two statuses; either may be undefined.
export function later(one, other) {
  return rank(other) > rank(one) ? other : one;
}

export function isCancelled(status) {
  return rank(status) >= rank('PAY CANCEL');
}

/// Nothing more will happen to it. An order whose payment was cancelled counts as ended, too.
export function isEnded(status) {
  return rank(status) >= rank('DELIVERY END');
}

export function columnOf(status) {
  return columns.find((column) => column.status === status);
}

/// The index of the step that an order is at; those before it are done. Undefined for a cancelled
/// order: it has no next step.
export function presentStep(status) {
  return {
    'Order END': 1,
    'PAY END': 2,
    'DELIVERY READY': 3,
    'DELIVERY START': 4,
    'DELIVERY END': 5,
  }[status];
}
