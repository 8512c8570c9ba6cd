// The staff's settings of a device, remembered in its browser. `sane` knows no page.

const stored = 'skanu.board';
export const defaults = { late: 5, overdue: 10, sound: false, awake: false };
const longest = 240; // minutes

/// Settings that hold together, whatever was stored or typed: `late` and `overdue` are whole
/// minutes from which on an order is so, `overdue` above `late`.
export function sane(values = {}) {
  const minutes = (value, otherwise) =>
    Number.isInteger(value) && value >= 1 && value <= longest ? value : otherwise;
  const late = minutes(values.late, defaults.late);
  return {
    late,
    overdue: Math.max(late + 1, minutes(values.overdue, defaults.overdue)),
    sound: values.sound === true,
    awake: values.awake === true,
  };
}

export function readSettings() {
  try {
    return sane(JSON.parse(localStorage.getItem(stored)) || {});
  } catch {
    return sane(); // storage is switched off, or holds something else
  }
}

export function keepSettings(values) {
  try {
    localStorage.setItem(stored, JSON.stringify(values));
  } catch {
    // Storage is switched off: they hold for this visit.
  }
}
