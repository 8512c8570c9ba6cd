// A tablet in the shop that customers share (`/?kiosk`): it keeps nothing, and begins anew for the
// next customer.

import { el, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';

const idle = 30_000;
const warned = 10_000; // before that time is over
const tick = 1_000;
const longest_wait = 120_000; // for a wish that is under way

/// Begins anew after 30 s without a touch, or at "Done". `isBusy()` says that a wish is under way:
/// its customer's answer is waited for, though not for ever.
export function startKiosk(isBusy) {
  let touched; // when; undefined before anybody touched the page
  const said = el('p', { role: 'status' });
  const done = el('button', { type: 'button', className: 'primary', onclick: beginAnew });
  const bar = el('div', { className: 'kiosk-bar', hidden: true }, said, done);
  document.body.classList.add('kiosk');
  document.body.append(bar);
  onLanguage(() => setText(done, t('kiosk.done')));
  for (const kind of ['pointerdown', 'keydown', 'input', 'wheel', 'touchmove']) {
    addEventListener(kind, touch, { capture: true, passive: true });
  }
  setInterval(look, tick);

  function touch(event) {
    touched = Date.now();
    bar.hidden = false;
    if (event.target !== done) setText(said, '');
  }

  function look() {
    if (touched === undefined) return;
    const waited = Date.now() - touched;
    if (waited >= idle && (!isBusy() || waited >= longest_wait)) {
      touched = undefined;
      beginAnew();
    }
    if (waited >= idle - warned) setText(said, t('kiosk.soon'));
  }
}

/// A page loaded anew knows nothing of who was there before.
function beginAnew() {
  location.replace('/?kiosk');
}
