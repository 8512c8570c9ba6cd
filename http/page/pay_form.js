// Paying for an order: how, and for whose stamps.

import { el, setText } from './dom.js';
import { money, onLanguage, t } from './i18n.js';
import { home } from './home.js';
import { isKiosk } from './mode.js';
import { normalisedPhone } from './phone.js';

const draft = 'skanu.phone.'; // what was typed outlives a reload, not the order

/// `onPay` gets the body of the change. show(visible, busy) shows the form, and that it is being
/// sent.
export function payForm(order, onPay) {
  const id = (name) => `${name}-${order.key}`;
  const how = el('legend', {});
  const choices = ['card', 'cash'].map((type) => {
    const input = el('input', {
      type: 'radio',
      name: id('type'),
      value: type,
      checked: type === (order.paymentType ?? 'card'),
    });
    const text = el('span', {});
    return { type, input, text, label: el('label', { className: 'choice' }, input, text) };
  });
  const label = el('label', { for: id('phone') });
  const phone = el('input', {
    id: id('phone'),
    type: 'tel',
    inputMode: 'tel',
    autocomplete: isKiosk ? 'off' : 'tel-national', // of a shared tablet's other customers
    maxLength: 64, // pasted numbers bring characters that cannot be seen
    value: typedPhone(order),
    'aria-describedby': id('hint'),
    oninput: () => (keepPhone(order, phone.value), check(false)),
  });
  const hint = el('p', { id: id('hint'), className: 'quiet' });
  const button = el('button', { type: 'submit', className: 'primary', 'data-changes': '' });
  const form = el(
    'form',
    { className: 'pay', noValidate: true, onsubmit },
    el('fieldset', {}, how, el('div', { className: 'choices' }, ...choices.map((c) => c.label))),
    el('div', {}, label, phone, hint),
    button,
  );
  let busy = false;
  onLanguage(write);

  function onsubmit(event) {
    event.preventDefault();
    if (busy || !check(true)) return;
    const body = { paymentStatus: 'END', paymentType: choices.find((c) => c.input.checked).type };
    if (phone.value.trim()) body.phoneNumber = normalisedPhone(phone.value, home);
    onPay(body);
  }

  // Says that the number is wrong when it is sent, and takes that back as soon as it is right.
  function check(sending) {
    const right = !phone.value.trim() || normalisedPhone(phone.value, home) !== undefined;
    if (sending || right) phone.setAttribute('aria-invalid', String(!right));
    const wrong = phone.getAttribute('aria-invalid') === 'true';
    setText(hint, t(wrong ? 'order.phoneWrong' : 'order.phoneHint'));
    if (sending && !right) phone.focus();
    return right;
  }

  function write() {
    setText(how, t('order.payBy'));
    for (const { type, text } of choices) setText(text, t(`order.${type}`));
    setText(label, t('order.phone'));
    setText(button, busy ? t('order.paying') : t('order.pay', { cost: money(order.cost) }));
    button.setAttribute('aria-disabled', String(busy)); // it keeps the focus while it is busy
    check(false);
  }

  function show(visible, isBusy) {
    form.hidden = !visible;
    busy = isBusy;
    write();
  }

  return { form, show };
}

function typedPhone(order) {
  try {
    return sessionStorage.getItem(draft + order.key) ?? '';
  } catch {
    return '';
  }
}

function keepPhone(order, phone) {
  if (isKiosk) return;
  try {
    sessionStorage.setItem(draft + order.key, phone);
  } catch {
    // Storage is switched off: it stays in the field.
  }
}

/// Forgets what was typed for an order that needs it no more.
export function forgetPhone(order) {
  try {
    sessionStorage.removeItem(draft + order.key);
  } catch {
    // It was never stored.
  }
}
