// How a page is shown, by its address.

/// On a tablet in the shop that customers share (kiosk.js): nothing of them is kept.
export const isKiosk = new URLSearchParams(location.search).has('kiosk');
