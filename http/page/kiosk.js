// A tablet in the shop that customers share (`/?kiosk`): it keeps nothing, and begins anew for the
// next customer.

import { wouldOpen } from './api.js';
import { byId, el, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';

const idle = 30_000;
const warned = 10_000; // before that time is over
const tick = 1_000;
const longest_wait = 120_000; // for a wish that is under way
const again = 2_000;

/// Begins anew after 30 s without a touch, or at "Done". `isBusy()` says that a wish is under way:
/// its customer's answer is waited for, though not for ever. `forget()` ends all that the customer
/// began.
export function startKiosk({ isBusy, forget }) {
  const address = location.pathname + location.search; // with the language that was set
  let touched; // when; undefined before anybody touched the page
  let isLeaving = false;
  const said = el('p', { role: 'status' });
  const done = el('button', { type: 'button', className: 'primary', onclick: beginAnew });
  const bar = el('div', { className: 'kiosk-bar', hidden: true }, said, done);
  document.body.classList.add('kiosk');
  document.body.append(bar);
  byId('stamps-phone').autocomplete = 'off';
  leadBack(document.querySelector('.brand'));
  onLanguage(() => setText(done, t('kiosk.done')));
  for (const kind of ['pointerdown', 'keydown', 'input', 'wheel', 'touchmove']) {
    addEventListener(kind, touch, { capture: true, passive: true });
  }
  setInterval(look, tick);

  /// The shop's name leads to the page as everybody has it, which remembers.
  function leadBack(brand) {
    brand.href = address;
    brand.addEventListener('click', (event) => {
      event.preventDefault();
      beginAnew();
    });
  }

  function touch(event) {
    if (isLeaving) return;
    touched = Date.now();
    bar.hidden = false;
    if (event.target !== done) setText(said, '');
  }

  function look() {
    if (touched === undefined) return;
    const waited = Date.now() - touched;
    if (waited >= idle - warned) setText(said, t('kiosk.soon'));
    if (waited >= idle && (!isBusy() || waited >= longest_wait)) beginAnew();
  }

  /// Nothing of the customer stays in sight. A page loaded anew knows nothing of who was there
  /// before; while none would come, this one stays, for nobody could lead a browser's own page of
  /// errors back.
  async function beginAnew() {
    if (isLeaving) return;
    isLeaving = true;
    touched = undefined;
    bar.hidden = true;
    forget();
    byId('content').hidden = true;
    while (!(await wouldOpen(address))) await new Promise((resolve) => setTimeout(resolve, again));
    location.replace(address);
  }
}
