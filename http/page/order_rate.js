// How many orders came in each minute, from looks at how many there are in all. Knows no page.

const minute = 60_000;

function lastOf(list) {
  return list[list.length - 1];
}

export class OrderRate {
  /// `stored` is what `toJSON` gave before; `kept` is how many minutes are remembered.
  constructor(kept = 30, stored = {}) {
    this._kept = kept;
    this._looks = stored.looks ?? [];
    this._minutes = stored.minutes ?? {};
  }

  /// Takes a look: so many orders in all, at this time in milliseconds.
  learn(total, time) {
    const last = lastOf(this._looks);
    // Other data, or another clock.
    if (last && (total < last[1] || time < last[0])) this._looks = [];
    const present = Math.floor(time / minute);
    const since = lastOf(this._looks);
    // Orders after a pause of over a minute between two looks belong to no known minute.
    const came = since && time - since[0] <= minute ? total - since[1] : 0;
    this._minutes[present] = (this._minutes[present] ?? 0) + came;
    this._looks.push([time, total]);
    while (this._looks.length > 1 && this._looks[1][0] <= time - minute) this._looks.shift();
    for (const old of Object.keys(this._minutes)) {
      if (Number(old) <= present - this._kept) delete this._minutes[old];
    }
  }

  /// Orders a minute over the last minute, or what there is of it; undefined before ten seconds are
  /// over.
  lastMinute() {
    if (this._looks.length < 2) return undefined;
    const [from, to] = [this._looks[0], lastOf(this._looks)];
    if (to[0] - from[0] < 10_000) return undefined;
    return Math.round(((to[1] - from[1]) / (to[0] - from[0])) * minute);
  }

  /// The remembered minutes up to `time`, the oldest first: { start, orders }, orders undefined
  /// where nobody looked.
  series(time) {
    const present = Math.floor(time / minute);
    return Array.from({ length: this._kept }, (_, n) => {
      const number = present - this._kept + 1 + n;
      return { start: number * minute, orders: this._minutes[number] };
    });
  }

  toJSON() {
    return { looks: this._looks, minutes: this._minutes };
  }
}
