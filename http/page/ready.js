// Tells a customer that an order is ready: by the page's title, by vibration and, where the
// customer allowed that, by a notification.

import { drinkName, t } from './i18n.js';

const pattern = [300, 150, 300];

/// Whether the customer can still be asked to allow notifications.
export function canAsk() {
  return 'Notification' in globalThis && Notification.permission === 'default';
}

/// To be called while a touch is handled. `onAnswer` is called with the customer's answer.
export function askToTell(onAnswer) {
  // Safari 14 takes a function, newer browsers give a promise, too.
  const answer = Notification.requestPermission(onAnswer);
  if (answer) answer.then(onAnswer, onAnswer);
}

/// Tells of one order, once it has become ready.
export function tellReady({ id, qty, productName }) {
  if (navigator.vibrate) navigator.vibrate(pattern);
  if (!('Notification' in globalThis) || Notification.permission !== 'granted') return;
  try {
    new Notification(t('ready.title', { ids: id }), {
      body: t('order.cups', { qty, drink: drinkName(productName) }),
      icon: '/assets/icon.svg',
      tag: `skanu-${id}`,
    });
  } catch {
    // Phones show notifications of service workers alone: title and vibration have to do.
  }
}

/// Shows in the page's title which numbers are ready, if any.
export function showTitle(ids) {
  document.title = ids.length > 0 ? t('ready.title', { ids: ids.join(', ') }) : t('shop.title');
}
