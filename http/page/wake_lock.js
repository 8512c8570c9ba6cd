// Keeps the screen awake while the page is in sight.

let wanted = false;
let lock;

/// Whether this browser can.
export const canStayAwake = 'wakeLock' in navigator;

export function stayAwake(awake) {
  wanted = awake;
  if (!wanted && lock) lock.release();
  take();
}

// The browser lets go of the screen whenever the page is out of sight.
document.addEventListener('visibilitychange', take);

async function take() {
  if (!canStayAwake || !wanted || document.hidden || lock) return;
  try {
    lock = await navigator.wakeLock.request('screen');
    lock.addEventListener('release', () => (lock = undefined));
    if (!wanted) lock.release();
  } catch {
    lock = undefined; // low battery: the screen may sleep
  }
}
