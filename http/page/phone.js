// Phone numbers as people type and paste them, and the one form in which the shop stores them. The
// rules are those of messages/phone.hpp; tests/phone_numbers.json checks both. Knows no page.

/// A country's calling code, and the digit that stands before a number within it.
export const korea = { callingCode: '82', trunk: '0' };

const dots =
  '.\\u00b7\\u2022\\u2024\\u2027\\u2219\\u22c5\\u3002\\u30fb\\ufe52\\uff0e\\uff61\\uff65';
const separators = new RegExp(`[\\p{Cf}\\p{Zs}\\p{Pd}\\t\\u2212\\u2043${dots}]`, 'gu');
const brackets = /[\p{Ps}\p{Pe}]/gu;

/// The stored form of a number; undefined for a text that is none: "+82 (0)10-1234-1234" is
/// "01012341234" in Korea, "+44 (0)20 7946 0958" is "+442079460958".
export function normalisedPhone(text, home = korea) {
  const typed = text
    .replace(/[\uff10-\uff19\uff0b]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(separators, '')
    .replace(brackets, '|');
  // No calling code begins with 0: such a plus means nothing.
  const bare = typed.replace(/\|/g, '').replace(/^\+(?=0)/, '');
  if (!/^\+?[0-9]+$/.test(bare)) return undefined;
  if (!/^(\+|00[1-9])/.test(bare)) return numberIn(bare);
  const plusless = typed.replace('+', '');
  const dialled = bare.startsWith('+') ? plusless : plusless.replace(/0(\|*)0/, '$1');
  const number = dialled.replace(/^([^]*?[0-9][^]*?)\|0\|/, '$1').replace(/\|/g, '');
  if (!number.startsWith(home.callingCode)) return numberIn(`+${number}`);
  const rest = number.slice(home.callingCode.length);
  const within = home.trunk ? rest.replace(/^0+/, '') : rest;
  return within.startsWith('00') ? undefined : numberIn(home.trunk + within);
}

function numberIn(text) {
  return /^\+?[0-9]{7,15}$/.test(text) ? text : undefined;
}
