// One stream a browser for all of its open orders: one tab holds it, and passes on to the others
// what comes. Browsers open few connections to one server.

import { newKey } from './api.js';
import { isDoneElsewhere, isHeldBy, renew_every, renewed } from './lease.js';
import { follow } from './live.js';

const lease = 'skanu.stream';
const passed_on = 'skanu.trace';
const most = 100; // orders that the server takes in one request

/// `onTrace` gets the traces of the watched orders, `onGap` is called where some may have been
/// missed. `shares` is false where nothing may be stored: then each tab has a stream of its own.
/// Returns { watch(ids), isLive() }.
export function orderStream({ onTrace, onGap, shares }) {
  const me = newKey();
  let ids = []; // watched
  let followed = ''; // ids of the present stream
  let stream;
  let isLeading = false;
  let state;

  addEventListener('storage', (event) => {
    if (event.key === lease) {
      const holds = read(lease); // the event comes late
      if (holds && !isHeldBy(holds, me)) lead(false);
    }
    if (event.key === passed_on && event.newValue) {
      const { trace } = JSON.parse(event.newValue);
      if (trace) onTrace(trace);
      else onGap();
    }
  });
  addEventListener('pagehide', () => isLeading && write(lease, null));
  document.addEventListener('visibilitychange', renew);
  setInterval(renew, renew_every);

  function renew() {
    if (ids.length === 0) return lead(false);
    let mine = true;
    if (shares) {
      const next = renewed(read(lease), me, Date.now(), state === 'live');
      mine = next !== undefined;
      if (mine) write(lease, next);
    }
    lead(mine);
  }

  function lead(mine) {
    if (isLeading && !mine && shares && isHeldBy(read(lease), me)) write(lease, null);
    isLeading = mine;
    const wanted = mine ? ids.join() : '';
    if (wanted === followed) return;
    if (stream) stream.close();
    stream = undefined;
    state = undefined;
    followed = wanted;
    if (!wanted) return;
    stream = follow(
      { orderId: wanted },
      {
        onTrace: (trace) => {
          onTrace(trace);
          pass({ trace });
        },
        onGap: () => {
          onGap();
          pass({});
        },
        onState: (now) => {
          state = now;
          if (shares && isHeldBy(read(lease), me)) renew();
        },
        evenHidden: true,
      },
    );
  }

  /// The other tabs hear of it as of a change of the storage, where nothing of it stays.
  function pass(what) {
    if (!shares) return;
    write(passed_on, JSON.stringify({ ...what, by: newKey() }));
    write(passed_on, null);
  }

  return {
    watch(wanted) {
      ids = wanted.slice(0, most).sort((a, b) => a - b);
      renew();
    },
    /// Whether traces come, on this tab's stream or another one's.
    isLive: () =>
      isLeading ? state === 'live' : shares && isDoneElsewhere(read(lease), me, Date.now()),
  };
}

function read(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name, text) {
  try {
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
  } catch {
    // Storage is switched off: each tab has a stream of its own.
  }
}
