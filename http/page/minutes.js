// How long something waits, by the server's clock as far as it is known. Knows no page.

const minute = 60_000;

/// Whole minutes since an RFC 3339 time; 0 for a time that is not known or lies ahead.
export function minutesSince(timestamp, now) {
  const since = Date.parse(timestamp);
  if (!(since <= now)) return 0;
  return Math.floor((now - since) / minute);
}

/// How urgent a wait of so many minutes is: 'fresh', from `late` minutes on 'late', from `overdue`
/// on 'overdue'.
export function urgency(minutes, { late, overdue }) {
  if (minutes >= overdue) return 'overdue';
  return minutes >= late ? 'late' : 'fresh';
}

/// Milliseconds until one of these waits shows another number of minutes; at most a minute.
export function untilNextMinute(timestamps, now) {
  let least = minute;
  for (const timestamp of timestamps) {
    const since = Date.parse(timestamp);
    if (since <= now) least = Math.min(least, minute - ((now - since) % minute));
  }
  return least;
}

/// The server's clock, learned from the times that it sends along with its answers.
export class ServerClock {
  constructor(local = Date.now) {
    this.local = local;
    this._offset = 0;
  }

  /// Takes a `Date` header's time of an answer to a request that was sent at `sent` (local time).
  learn(date, sent) {
    const time = Date.parse(date);
    if (!Number.isFinite(time)) return;
    const halfway = (sent + this.local()) / 2;
    const offset = time + 500 - halfway; // the header names whole seconds
    this._offset = Math.abs(offset) < 2000 ? 0 : offset;
  }

  /// Milliseconds since 1970.
  now() {
    return this.local() + this._offset;
  }
}
