// The orders that the shop works on now, merged from the stream and the lists. Knows no page and no
// network. It is bounded: orders beyond the limit are left out until there is room (`overflowed`).

import { columnOf, columns, isCancelled, later, rank } from './traces.js';

const ended_kept = 2000;

function sinceOf({ changedAt, timestamp }) {
  return changedAt || timestamp;
}

export class ShopFloor {
  constructor(limit = 1000) {
    this._limit = limit;
    this._orders = new Map(); // id -> { id, productName, productId, qty, status, since, seen }
    this._ended = new Map(); // id -> status: late accounts of what has left must not bring it back
    this.overflowed = false;
    this.known = false; // before the lists were read once, an empty column means nothing
  }

  /// Takes one account of an order, from the stream or a list. `changedAt` says since when the
  /// order has its status; without it, in a trace of an older version, the stream's timestamp does.
  /// Returns 'entered', 'moved', 'left', 'cancelled' (it left before it was done), or undefined
  /// where nothing changed. `seen` says when the account was given, on a clock of the caller's.
  take(trace, seen = 0) {
    const id = trace.id;
    if (this._ended.has(id) && rank(trace.status) <= rank(this._ended.get(id))) return undefined;
    const known = this._orders.get(id);
    if (known) known.seen = Math.max(known.seen, seen);
    if (known && later(known.status, trace.status) === known.status) {
      if (known.status === trace.status && !known.since) known.since = sinceOf(trace);
      return undefined;
    }
    if (columnOf(trace.status)) return this._put(trace, known, seen);
    // Not paid: not the shop's yet.
    if (rank(trace.status) < rank(columns[0].status)) return undefined;
    this._leave(id, trace.status);
    if (!known) return undefined;
    return isCancelled(trace.status) ? 'cancelled' : 'left';
  }

  /// Takes what the lists say, all of them read after `started`: what they do not name any more has
  /// left, unless an account given since then says otherwise. Returns the ids that left.
  replace(traces, started) {
    const named = new Set(traces.map((trace) => trace.id));
    const gone = [...this._orders.values()]
      .filter((order) => !named.has(order.id) && order.seen < started)
      .map((order) => order.id);
    for (const id of gone) this._orders.delete(id); // without a tombstone: why is not known
    this.overflowed = false;
    this.known = true;
    for (const trace of traces) this.take(trace, started);
    return gone;
  }

  /// Says since when an order has its status, where no account of it said so.
  setSince(id, status, timestamp) {
    const order = this._orders.get(id);
    if (order?.status === status && !order.since) order.since = timestamp;
  }

  get(id) {
    return this._orders.get(id);
  }

  all() {
    return [...this._orders.values()];
  }

  /// The orders of a column, the longest-waiting first; those of whom it is not known go before all
  /// others.
  inColumn(column) {
    const age = (order) => (order.since ? Date.parse(order.since) : 0);
    return this.all()
      .filter((order) => order.status === column.status)
      .sort((a, b) => age(a) - age(b) || a.id - b.id);
  }

  _put(trace, known, seen) {
    if (!known && this._orders.size >= this._limit) {
      this.overflowed = true;
      return undefined;
    }
    const { id, productId, productName, qty, status } = trace;
    this._orders.set(id, {
      id,
      productId,
      productName,
      qty,
      status,
      since: sinceOf(trace),
      seen: known?.seen ?? seen,
    });
    return known ? 'moved' : 'entered';
  }

  _leave(id, status) {
    this._orders.delete(id);
    this._ended.delete(id);
    this._ended.set(id, status);
    if (this._ended.size > ended_kept) this._ended.delete(this._ended.keys().next().value);
  }
}
