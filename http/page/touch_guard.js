// Touches that nobody meant. The rest of a double touch falls on whatever slid under the finger:
// nothing that `data-changes` marks takes a touch so soon after another, or so soon after it slid
// (place_guard.js). isRest() knows no page.

import { guardPlaces } from './place_guard.js';

const second_touch = 500; // milliseconds: the double click time of most systems
const same_place = 24; // pixels

/// Whether `touch` is the rest of a double touch that `before` began; both are { time, x, y }.
export function isRest(before, touch) {
  return (
    touch.time - before.time < second_touch &&
    Math.hypot(touch.x - before.x, touch.y - before.y) < same_place
  );
}

/// Keeps from this page, and from its forms, the rest of each double touch that began on an element
/// with `data-changes`, and the repeats of an Enter key held down on one.
export function guardTouches() {
  let before = { time: -Infinity, x: 0, y: 0 };
  guardPlaces();

  const changes = (target) => target?.closest?.('[data-changes]');
  const swallow = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener(
    'click',
    (event) => {
      if (event.detail === 0) return; // a key, or a label's own click on its field
      const touch = { time: event.timeStamp, x: event.clientX, y: event.clientY };
      const rest = isRest(before, touch);
      if (rest) swallow(event);
      if (rest || changes(event.target)) before = touch;
    },
    true,
  );
  document.addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Enter' && event.repeat && changes(event.target)) swallow(event);
    },
    true,
  );
}
