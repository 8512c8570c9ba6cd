// Sends a change until its outcome is certain. Knows no page; clock and pauses are arguments.

const longest_pause = 10_000;

/// Whether sending it again, under the same Idempotency-Key, can give another answer: the server
/// could not be reached (status 0), did not know, or refused for the time being.
export function isPassing(answer) {
  return (
    answer.status === 0 ||
    answer.status >= 500 ||
    (answer.status === 409 && answer.problem?.type === '/problems/operation-running')
  );
}

/// Whether this answer proves that nothing was carried out.
export function isCertain(answer) {
  return (
    answer.status !== 0 &&
    answer.status !== 504 &&
    !(answer.status >= 500 && answer.status !== 503 && answer.status !== 507)
  );
}

/// Milliseconds before attempt number `n` (1 for the first repeat): what the server asks for, else
/// longer and longer; spread by `random` in [0, 1), so that not everybody comes back at once.
export function pauseBefore(n, answer, random) {
  const asked = answer.retryAfter > 0 ? answer.retryAfter * 1000 : 500 * 2 ** (n - 1);
  return Math.min(asked, longest_pause) * (1 + 0.2 * random);
}

/// Milliseconds for which a wish of the time `asked` (milliseconds since 1970) may still be sent,
/// of `lifetime` in all; never above zero for a wish without a time. A time that lies ahead comes
/// from a clock that was set back since, and counts as its distance.
export function timeLeft(asked, now, lifetime) {
  const age = Math.abs(now - asked);
  return age < lifetime ? lifetime - age : 0;
}

/// Calls `send` until the answer is not a passing one (as `passing` judges), the signal is aborted,
/// or `limit` milliseconds are over; tells `onWait` each passing answer. Returns the last answer.
/// Nothing is sent once the limit is over, however long this machine slept in a pause: without any
/// answer by then, the answer is { status: 0, expired: true }.
export async function attempt(send, options = {}) {
  const {
    signal,
    onWait = () => {},
    pause = pauseFor,
    now = Date.now,
    random = Math.random,
    limit = 15 * 60_000,
    passing = isPassing,
  } = options;
  const started = now();
  const isOver = () => signal?.aborted || now() - started >= limit;
  let answer = { ok: false, status: 0, expired: true };
  for (let n = 1; !isOver(); ++n) {
    answer = await send();
    if (!passing(answer) || isOver()) break;
    onWait(answer);
    await pause(pauseBefore(n, answer, random()), signal);
  }
  return answer;
}

/// Ends early when the signal is aborted, or when the browser says that it is on line again.
function pauseFor(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('online', end);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    globalThis.addEventListener?.('online', end);
    signal?.addEventListener('abort', end);
  });
}
