// Phone numbers as people type them. Knows no page.

export function digitsOf(phone) {
  return phone.replace(/\D/g, '');
}

/// Whether the shop takes it: 7 to 15 digits, however they are grouped.
export function isPhone(phone) {
  return /^\+?[\d\s().-]+$/.test(phone.trim()) && /^\d{7,15}$/.test(digitsOf(phone));
}
