// The language of a page: the browser's, or the one chosen on it.

import { chooseLanguage, textOf, texts } from './texts.js';
import { byId, el } from './dom.js';
import { isKiosk } from './mode.js';

const stored = 'skanu.language';
const listeners = [];

const wished = new URLSearchParams(location.search).get('lang') ?? read();
const isForCustomers = ['shop', 'display'].some((page) => document.body.classList.contains(page));
export let language = chooseLanguage(wished, navigator.languages);

export function t(key, values) {
  return textOf(language, key, values, isForCustomers);
}

/// Whole won.
export function money(won) {
  return new Intl.NumberFormat(language === 'ko' ? 'ko-KR' : 'en-US', {
    style: 'currency',
    currency: 'KRW',
  }).format(won);
}

export function number(value, options) {
  return new Intl.NumberFormat(language === 'ko' ? 'ko-KR' : 'en-US', options).format(value);
}

/// Hours and minutes, as a clock on the wall shows them.
export function clockTime(milliseconds) {
  return new Intl.DateTimeFormat(language === 'ko' ? 'ko-KR' : 'en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(milliseconds);
}

/// A drink's name in the present language; a name missing from the menu stays unchanged.
export function drinkName(productName) {
  return texts[language][`drink.${productName}`] ?? productName;
}

/// Called now and whenever the language changes.
export function onLanguage(listener) {
  listeners.push(listener);
  listener();
}

/// Fills in the page's fixed texts and keeps the language switch in the element `languages`, if
/// there is one. Elements say what they need: `data-t` for their text, `data-t-label` for their
/// `aria-label`.
export function translatePage() {
  onLanguage(() => {
    document.documentElement.lang = language;
    for (const element of document.querySelectorAll('[data-t]')) {
      element.textContent = t(element.dataset.t);
    }
    for (const element of document.querySelectorAll('[data-t-label]')) {
      element.setAttribute('aria-label', t(element.dataset.tLabel));
    }
  });
  const place = byId('languages');
  if (place) place.append(...Object.keys(texts).map(languageButton));
}

function languageButton(name) {
  const button = el('button', {
    type: 'button',
    lang: name,
    className: 'language',
    textContent: texts[name]['language.name'],
    onclick: () => choose(name),
  });
  onLanguage(() => button.setAttribute('aria-pressed', String(language === name)));
  return button;
}

function choose(name) {
  language = name;
  try {
    if (!isKiosk) localStorage.setItem(stored, name);
  } catch {
    // Storage is switched off: the choice holds for this visit.
  }
  for (const listener of listeners) listener();
}

function read() {
  try {
    return localStorage.getItem(stored);
  } catch {
    return null;
  }
}
