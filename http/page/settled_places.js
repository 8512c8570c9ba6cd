// Which cards have been at their place for long enough to be touched: a finger that was on its way
// to one card must not hit another that slid there. Knows no page; places and time are arguments.

const settling = 400; // milliseconds: from seeing where to touch until the finger is there

/// Places on a screen, { left, top, width, height } in pixels; times are milliseconds.
export class SettledPlaces {
  #places = new Map(); // id -> its place
  #left = []; // { id, place, time }: places that were left lately
  #since = new Map(); // id -> when it came to a place that another had until lately

  /// Takes where each card is drawn from now on: id -> place.
  learn(places, time) {
    this.#left = this.#left.filter((left) => time - left.time < settling);
    for (const [id, place] of this.#places) {
      if (!isSame(place, places.get(id))) this.#left.push({ id, place, time });
    }
    for (const id of this.#since.keys()) if (!places.has(id)) this.#since.delete(id);
    for (const [id, place] of places) {
      if (isSame(place, this.#places.get(id))) continue;
      if (this.#left.some((left) => left.id !== id && overlap(left.place, place))) {
        this.#since.set(id, time);
      }
    }
    this.#places = places;
  }

  /// Milliseconds after which every card has settled, unless one slides again.
  within = settling;

  areAll(time) {
    return [...this.#since.keys()].every((id) => this.isSettled(id, time));
  }

  /// False while a touch of this card may have been meant for another one.
  isSettled(id, time) {
    return !(time - this.#since.get(id) < settling);
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
