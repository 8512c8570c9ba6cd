// The place on each page that says, in plain words, what does not work at the moment.

import { byId, el, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { watchHealth } from './health.js';
import { isKiosk } from './mode.js';

const databases = ['lmdb', 'sqlite'];
// Of what was entered, only pages speak that keep it.
const isForgetful = isKiosk || document.body.classList.contains('display');
let troubles = [];
let over = false;

/// Fills the element `notices` (a live region) for as long as something is the matter; `onHealth`
/// gets each look at the services, one every `calm` milliseconds.
export function showNotices(onHealth = () => {}, calm = undefined) {
  onLanguage(show);
  return watchHealth((health) => {
    const found = troublesIn(health);
    over = found.length === 0 && (over || troubles.length > 0);
    if (over && troubles.length > 0) setTimeout(() => ((over = false), show()), 6000);
    if (found.length > 0) over = false;
    troubles = found;
    show();
    onHealth(health);
  }, calm);
}

/// The texts that this state of health calls for.
function troublesIn({ reached, components }) {
  if (!reached) return [isForgetful ? 'trouble.networkOnly' : 'trouble.network'];
  const down = (name) => components[name] !== undefined && components[name] !== 'UP';
  const found = ['order', 'payment', 'delivery', 'stamp', 'ordertrace'].filter(down);
  if (databases.some(down)) found.push('database');
  return found.map((name) => `trouble.${name}`);
}

// Only what changes is touched: the region is read out when it does, and only then.
function show() {
  const place = byId('notices');
  const wanted = over ? ['trouble.over'] : troubles;
  for (const notice of [...place.children]) {
    if (!wanted.includes(notice.dataset.key)) notice.remove();
  }
  for (const key of wanted) {
    let notice = place.querySelector(`[data-key="${key}"]`);
    if (!notice) {
      notice = el('p', { className: over ? 'notice well' : 'notice', 'data-key': key });
      place.append(notice);
    }
    setText(notice, t(key));
  }
}
