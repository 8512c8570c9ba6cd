// How drinks look: small drawings, put together from a few shapes. Colours are in skanu.css.

import { svg } from './dom.js';

const glasses = { mug, tall, iced };

/// A picture of a drink (`look` as in menu.js). It says nothing that the text beside it does not.
export function drinkPicture(look) {
  return svg(
    'svg',
    {
      viewBox: '0 0 96 96',
      class: `drink ${look.liquid}`,
      'aria-hidden': 'true',
      focusable: 'false',
    },
    ...glasses[look.glass](look),
  );
}

function mug(look) {
  return [
    shadow(46, 82, 30),
    svg('path', { class: 'china-line', d: 'M66 44h6a11 11 0 0 1 0 22h-8' }),
    svg('path', { class: 'china', d: 'M20 38h48v22a18 18 0 0 1-18 18H38a18 18 0 0 1-18-18z' }),
    svg('ellipse', { class: 'china', cx: 44, cy: 38, rx: 24, ry: 8 }),
    svg('ellipse', { class: 'liquid', cx: 44, cy: 38.5, rx: 20.5, ry: 5.8 }),
    ...(look.foam ? [heart()] : []),
    ...steam(36, 44, 52),
  ];
}

function tall(look) {
  return [
    shadow(48, 84, 24),
    svg('path', { class: 'paper-cup', d: 'M26 30h44l-5 50a5 5 0 0 1-5 4.5H36a5 5 0 0 1-5-4.5z' }),
    svg('path', { class: 'liquid band', d: 'M28.2 46h39.6l-2 20H30.2z' }),
    svg('path', {
      class: 'lid',
      d: 'M24 24a4 4 0 0 1 4-4h40a4 4 0 0 1 4 4v6a2 2 0 0 1-2 2H26a2 2 0 0 1-2-2z',
    }),
    ...(look.foam
      ? [svg('path', { class: 'foam', d: 'M33 20c0-8 8-7 10-11 3-5 10-3 11 1 6 0 9 4 9 10z' })]
      : steam(40, 48, 56, -16)),
  ];
}

function iced(look) {
  return [
    shadow(48, 84, 22),
    svg('path', { class: 'straw', d: 'M52 60 62 8' }),
    svg('path', { class: 'liquid', d: 'M29.5 36h37l-4 43a5 5 0 0 1-5 4.5h-19a5 5 0 0 1-5-4.5z' }),
    svg('rect', {
      class: 'ice',
      x: 35,
      y: 42,
      width: 12,
      height: 12,
      rx: 3,
      transform: 'rotate(-14 41 48)',
    }),
    svg('rect', {
      class: 'ice',
      x: 48,
      y: 50,
      width: 12,
      height: 12,
      rx: 3,
      transform: 'rotate(18 54 56)',
    }),
    svg('rect', {
      class: 'ice',
      x: 37,
      y: 61,
      width: 11,
      height: 11,
      rx: 3,
      transform: 'rotate(8 42 66)',
    }),
    svg('path', { class: 'glass', d: 'M27 24h42l-6 56a5 5 0 0 1-5 4.5H38a5 5 0 0 1-5-4.5z' }),
    ...(look.slice ? slice() : []),
  ];
}

function shadow(cx, cy, rx) {
  return svg('ellipse', { class: 'shadow', cx, cy, rx, ry: 4 });
}

function heart() {
  return svg('path', {
    class: 'foam',
    d:
      'M44 42.5c-5-2.2-9-3.6-6.6-6 1.9-1.7 5-.9 6.6.8 ' +
      '1.6-1.7 4.7-2.5 6.6-.8 2.4 2.4-1.6 3.8-6.6 6z',
  });
}

function steam(a, b, c, lift = 0) {
  return [a, b, c].map((x, n) =>
    svg('path', { class: `steam steam-${n}`, d: `M${x} ${27 + lift}c-4-5 4-7 0-13` }),
  );
}

function slice() {
  return [
    svg('circle', { class: 'peel', cx: 67, cy: 25, r: 12 }),
    svg('circle', { class: 'fruit', cx: 67, cy: 25, r: 9 }),
    svg('path', {
      class: 'segments',
      d: 'M67 16v18M58 25h18M60.6 18.6l12.8 12.8M73.4 18.6 60.6 31.4',
    }),
  ];
}
