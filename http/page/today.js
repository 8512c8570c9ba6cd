// What the shop did today, from the traces as the server keeps them. Knows no page.

import { isCancelled, rank } from './traces.js';

/// The begin of the day of a time, as the clock on this wall shows it; both milliseconds since
/// 1970.
export function midnightBefore(time) {
  const day = new Date(time);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/// Of the orders that were ordered since `midnight`, whenever their last step was: how many, how
/// many were paid and not cancelled, their cups and won, how many were cancelled, and those paid.
export function figuresSince(traces, midnight) {
  const today = traces.filter(({ orderedAt }) => Date.parse(orderedAt) >= midnight);
  const sold = today.filter(
    ({ status }) => rank(status) >= rank('PAY END') && !isCancelled(status),
  );
  const sum = (of) => sold.reduce((total, trace) => total + trace[of], 0);
  return {
    orders: today.length,
    sold: sold.length,
    cups: sum('qty'),
    won: sum('cost'),
    cancelled: today.filter(({ status }) => isCancelled(status)).length,
    soldTraces: sold,
  };
}
