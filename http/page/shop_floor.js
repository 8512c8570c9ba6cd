// The orders that the shop works on now, merged from the stream and the lists. Knows no page and no
// network. It is bounded: orders beyond the limit are left out until there is room (`overflowed`).

import { columnOf, columns, isCancelled, later, rank } from './traces.js';

const ended_kept = 2000;

export class ShopFloor {
  #orders = new Map(); // id -> { id, productName, productId, qty, status, since, seen }
  #ended = new Map(); // id -> status: late accounts of what has left must not bring it back
  #limit;
  overflowed = false;
  known = false; // before the lists were read once, an empty column means nothing

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  /// Takes one account of an order, from the stream (with a timestamp) or a list (without). Returns
  /// 'entered', 'moved', 'left', 'cancelled' (it left before it was done), or undefined where
  /// nothing changed. `seen` says when the account was given, on a clock of the caller's.
  take(trace, seen = 0) {
    const id = trace.id;
    if (this.#ended.has(id) && rank(trace.status) <= rank(this.#ended.get(id))) return undefined;
    const known = this.#orders.get(id);
    if (known) known.seen = Math.max(known.seen, seen);
    if (known && later(known.status, trace.status) === known.status) {
      if (known.status === trace.status && !known.since) known.since = trace.timestamp;
      return undefined;
    }
    if (columnOf(trace.status)) return this.#put(trace, known, seen);
    // Not paid: not the shop's yet.
    if (rank(trace.status) < rank(columns[0].status)) return undefined;
    this.#leave(id, trace.status);
    if (!known) return undefined;
    return isCancelled(trace.status) ? 'cancelled' : 'left';
  }

  /// Takes what the lists say, all of them read after `started`: what they do not name any more has
  /// left, unless an account given since then says otherwise. Returns the ids that left.
  replace(traces, started) {
    const named = new Set(traces.map((trace) => trace.id));
    const gone = [...this.#orders.values()]
      .filter((order) => !named.has(order.id) && order.seen < started)
      .map((order) => order.id);
    for (const id of gone) this.#orders.delete(id); // without a tombstone: why is not known
    this.overflowed = false;
    this.known = true;
    for (const trace of traces) this.take(trace, started);
    return gone;
  }

  /// Says since when an order has its status, where no account of it said so.
  setSince(id, status, timestamp) {
    const order = this.#orders.get(id);
    if (order?.status === status && !order.since) order.since = timestamp;
  }

  get(id) {
    return this.#orders.get(id);
  }

  all() {
    return [...this.#orders.values()];
  }

  /// The orders of a column, the longest-waiting first; those of whom it is not known go before all
  /// others.
  inColumn(column) {
    const age = (order) => (order.since ? Date.parse(order.since) : 0);
    return this.all()
      .filter((order) => order.status === column.status)
      .sort((a, b) => age(a) - age(b) || a.id - b.id);
  }

  #put(trace, known, seen) {
    if (!known && this.#orders.size >= this.#limit) {
      this.overflowed = true;
      return undefined;
    }
    const { id, productId, productName, qty, status, timestamp } = trace;
    this.#orders.set(id, {
      id,
      productId,
      productName,
      qty,
      status,
      since: timestamp,
      seen: known?.seen ?? seen,
    });
    return known ? 'moved' : 'entered';
  }

  #leave(id, status) {
    this.#orders.delete(id);
    this.#ended.delete(id);
    this.#ended.set(id, status);
    if (this.#ended.size > ended_kept) this.#ended.delete(this.#ended.keys().next().value);
  }
}
