// How many orders came in each minute, from looks at how many there are in all. Knows no page.

const minute = 60_000;

export class OrderRate {
  #looks; // [time, total], of the last minute and one before it
  #minutes; // { minute number: orders that came in it }
  #kept;

  /// `stored` is what `toJSON` gave before; `kept` is how many minutes are remembered.
  constructor(kept = 30, stored = {}) {
    this.#kept = kept;
    this.#looks = stored.looks ?? [];
    this.#minutes = stored.minutes ?? {};
  }

  /// Takes a look: so many orders in all, at this time in milliseconds.
  learn(total, time) {
    const last = this.#looks.at(-1);
    // Other data, or another clock.
    if (last && (total < last[1] || time < last[0])) this.#looks = [];
    const present = Math.floor(time / minute);
    const since = this.#looks.at(-1);
    // Orders after a pause of over a minute between two looks belong to no known minute.
    const came = since && time - since[0] <= minute ? total - since[1] : 0;
    this.#minutes[present] = (this.#minutes[present] ?? 0) + came;
    this.#looks.push([time, total]);
    while (this.#looks.length > 1 && this.#looks[1][0] <= time - minute) this.#looks.shift();
    for (const old of Object.keys(this.#minutes)) {
      if (Number(old) <= present - this.#kept) delete this.#minutes[old];
    }
  }

  /// Orders a minute over the last minute, or what there is of it; undefined before ten seconds are
  /// over.
  lastMinute() {
    if (this.#looks.length < 2) return undefined;
    const [from, to] = [this.#looks[0], this.#looks.at(-1)];
    if (to[0] - from[0] < 10_000) return undefined;
    return Math.round(((to[1] - from[1]) / (to[0] - from[0])) * minute);
  }

  /// The remembered minutes up to `time`, the oldest first: { start, orders }, orders undefined
  /// where nobody looked.
  series(time) {
    const present = Math.floor(time / minute);
    return Array.from({ length: this.#kept }, (_, n) => {
      const number = present - this.#kept + 1 + n;
      return { start: number * minute, orders: this.#minutes[number] };
    });
  }

  toJSON() {
    return { looks: this.#looks, minutes: this.#minutes };
  }
}
