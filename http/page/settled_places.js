// Which elements have been at their place for long enough to be touched: a finger that was on its
// way to one must not hit another that slid there. Knows no page; places and time are arguments.

const settling = 400; // milliseconds: from seeing where to touch until the finger is there

/// Places on a screen, { left, top, width, height } in pixels; times are milliseconds.
export class SettledPlaces {
  constructor() {
    this._places = new Map(); // id -> its place
    this._left = []; // { id, place, time }: places that were left lately
    this._since = new Map(); // id -> when it came to a place that another had until lately
    this.within = settling; // milliseconds after which a card has settled, unless it slides again
  }

  /// Takes where each element is drawn from now on: id -> place.
  learn(places, time) {
    this._left = this._left.filter((left) => time - left.time < settling);
    for (const [id, place] of this._places) {
      if (!isSame(place, places.get(id))) this._left.push({ id, place, time });
    }
    for (const id of this._since.keys()) if (!places.has(id)) this._since.delete(id);
    for (const [id, place] of places) {
      if (isSame(place, this._places.get(id))) continue;
      if (this._left.some((left) => left.id !== id && overlap(left.place, place))) {
        this._since.set(id, time);
      }
    }
    this._places = places;
  }

  /// Takes where each is drawn after somebody scrolled: nothing slid under a finger.
  follow(places) {
    const isElsewhere = ([id, place]) => !isSame(place, this._places.get(id));
    if ([...places].some(isElsewhere)) this._left = [];
    this._places = places;
  }

  areAll(time) {
    return [...this._since.keys()].every((id) => this.isSettled(id, time));
  }

  /// False while a touch of this one may have been meant for another one.
  isSettled(id, time) {
    return !(time - this._since.get(id) < settling);
  }
}

function isSame(one, other) {
  return (
    other !== undefined &&
    ['left', 'top', 'width', 'height'].every((side) => Math.abs(one[side] - other[side]) < 1)
  );
}

function overlap(one, other) {
  return (
    one.left < other.left + other.width &&
    other.left < one.left + one.width &&
    one.top < other.top + other.height &&
    other.top < one.top + one.height
  );
}
