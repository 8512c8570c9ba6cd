// Which of several tabs does what one of them has to do: the tab that holds the lease, which it
// renews. Knows no page; storage and time are arguments.

const lasts = 6_000; // milliseconds; a tab in the background renews once a second, later less often
export const renew_every = 2_000;

/// Takes or renews the lease for the tab `me`; `text` is the lease as stored (null for none).
/// `isDone` says that what one tab has to do is done at the moment. Returns the lease to store, or
/// undefined while another tab holds it.
export function renewed(text, me, now, isDone) {
  if (heldByAnother(text, me, now)) return undefined;
  return JSON.stringify({ tab: me, until: now + lasts, isDone });
}

/// Whether another tab does it.
export function isDoneElsewhere(text, me, now) {
  const lease = heldByAnother(text, me, now);
  return Boolean(lease && lease.isDone);
}

function heldByAnother(text, me, now) {
  const lease = parsed(text);
  const isHeld = lease && lease.tab !== me && now < lease.until && lease.until <= now + lasts;
  return isHeld ? lease : undefined;
}

export function isHeldBy(text, me) {
  const lease = parsed(text);
  return lease !== undefined && lease.tab === me;
}

function parsed(text) {
  try {
    const lease = JSON.parse(text);
    return lease && lease.tab ? lease : undefined;
  } catch {
    return undefined;
  }
}
