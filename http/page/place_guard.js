// Keeps touches from what slid under the finger: an element with `data-changes` that came to
// another one's place takes none until who touches could see that (settled_places.js), whatever
// moved it: another tablet, a notice above it, a page that became shorter.

import { SettledPlaces } from './settled_places.js';

/// Watches the page's elements from now on; those that take no touch have the class `settling`.
export function guardPlaces() {
  const settled = new SettledPlaces();
  let settling;

  /// Whatever changes the layout changes the document, or the window's size.
  const watch = new MutationObserver(() => learn());
  watch.observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ['class', 'hidden', 'open', 'data-many'],
  });
  addEventListener('resize', () => learn());
  // Who scrolls sees what moves.
  document.addEventListener('scroll', () => learn(true), { capture: true, passive: true });
  learn();

  function learn(byHand = false) {
    clearTimeout(settling);
    const time = performance.now();
    const places = new Map();
    for (const element of document.querySelectorAll('[data-changes]')) {
      const place = element.getBoundingClientRect();
      if (place.width > 0) places.set(element, place);
    }
    if (byHand) settled.follow(places);
    else settled.learn(places, time);
    for (const element of places.keys()) {
      const isSettling = !settled.isSettled(element, time);
      if (element.classList.contains('settling') !== isSettling)
        element.classList.toggle('settling', isSettling);
    }
    if (!settled.areAll(time)) settling = setTimeout(() => learn(), settled.within);
  }
}
