// The orders that the shop works on now, merged from the stream and the lists. Knows no page and no
// network. It is bounded: what it leaves out is counted (`unlisted`).

import { columnOf, columns, isCancelled, later, rank } from './traces.js';

const ended_kept = 2000;
// An order that the stream told of, and a cut list has no room for, stays for so long.
const kept_unnamed = 30 * 60_000;

function sinceOf({ changedAt, timestamp }) {
  return changedAt || timestamp;
}

/// Orders the longest-waiting first; those of whom it is not known go before all others.
export function byWaiting(a, b) {
  const age = (order) => (order.since ? Date.parse(order.since) : 0);
  return age(a) - age(b) || a.id - b.id;
}

export class ShopFloor {
  constructor(limit = 1000) {
    this._limit = limit;
    this._orders = new Map(); // id -> { id, productName, productId, qty, status, since, seen }
    this._ended = new Map(); // id -> status: late accounts of what has left must not bring it back
    this._unlisted = new Map(); // status -> orders that are not in _orders
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

  /// Takes the lists { status, traces, total, newestFirst }, all of them read after `started`: what
  /// they do not name any more has left, unless an account given since then says otherwise, or the
  /// list is cut before it. Returns { gone: orders that left, changes: [change, trace] as `take`
  /// gives them, without what the lists alone would not tell from news }.
  replace(lists, started) {
    const named = new Set();
    for (const { traces } of lists) for (const { id } of traces) named.add(id);
    const gone = this.all().filter(
      (order) =>
        !named.has(order.id) && order.seen < started && !isBeyond(order, lists, started),
    );
    for (const { id } of gone) this._orders.delete(id); // without a tombstone: why is not known
    const changes = [];
    for (const { status, traces } of lists) {
      // Behind a cut list, an order may enter it long after the shop has known the order.
      const tells = this.known && this._unlistedOf(status) === 0;
      for (const trace of traces) {
        const change = this.take(trace, started);
        if (change === 'moved' || (change === 'entered' && tells)) changes.push([change, trace]);
      }
    }
    for (const { status, total } of lists) {
      const listed = this.all().filter((order) => order.status === status).length;
      this._unlisted.set(status, Math.max(0, total - listed));
    }
    this.known = true;
    return { gone, changes };
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

  /// The orders of a column, the longest-waiting first.
  inColumn(column) {
    return this.all()
      .filter((order) => order.status === column.status)
      .sort(byWaiting);
  }

  /// How many orders a column has that are not known here one by one, as of the last lists.
  unlisted(column) {
    return this._unlistedOf(column.status);
  }

  /// Some orders are left out: the lists are to be read again.
  get overflowed() {
    return [...this._unlisted.values()].some((count) => count > 0);
  }

  _unlistedOf(status) {
    return this._unlisted.get(status) || 0;
  }

  _put(trace, known, seen) {
    const { id, productId, productName, qty, status } = trace;
    if (!known && this._orders.size >= this._limit) {
      this._unlisted.set(status, this._unlistedOf(status) + 1);
      return undefined;
    }
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

/// Whether the list of this order's status ends before it: the list's silence then means nothing.
function isBeyond(order, lists, started) {
  const list = lists.find(({ status }) => status === order.status);
  if (!list || list.traces.length >= list.total || list.traces.length === 0) return false;
  const last = list.traces[list.traces.length - 1].id;
  const isBehind = list.newestFirst ? order.id < last : order.id > last;
  return isBehind && started - order.seen < kept_unnamed;
}
