// Texts of the pages, by language. Both languages have the same keys.

import { en } from './texts_en.js';
import { ko } from './texts_ko.js';
import { koCustomer } from './texts_ko_customer.js';

export const texts = { en, ko };
/// Texts that customers read in another tone than the staff.
export const customerTexts = { en: {}, ko: koCustomer };

/// A text with its blanks filled in; the key itself where there is none. `{count|cup|cups}` is the
/// first word where the count is 1, else the second. `forCustomers` picks the tone.
export function textOf(language, key, values = {}, forCustomers = false) {
  const text = (forCustomers && customerTexts[language][key]) || (texts[language][key] ?? key);
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (blank, name, one, many) => {
    if (one !== undefined) return values[name] === 1 ? one : many;
    return String(values[name] ?? blank);
  });
}

/// The language to use: the one wished for where the pages speak it, else the first of the
/// browser's that they speak, else English.
export function chooseLanguage(wished, browser) {
  if (texts[wished]) return wished;
  for (const tag of browser) {
    const language = tag.toLowerCase().split('-')[0];
    if (texts[language]) return language;
  }
  return 'en';
}
