// The stream of traces as a page follows it: it resumes by itself, and says when it may have missed
// something.

import { noteFailure } from './api.js';

const long_outage = 30_000;
const tick = 5_000;
const hidden_for = 10_000; // then a page that nobody looks at leaves its connection to others

/// Follows `/orderTraces/stream` with this query. `onTrace` gets each trace in order. `onGap` is
/// called when the stream begins without the past (at the start, and after a long outage): read the
/// lists then. `onState` gets 'connecting', 'live' or 'lost'. Returns { close }.
export function follow(query, { onTrace, onGap = () => {}, onState = () => {} }) {
  let source;
  let lastId; // of the last event seen
  let refusals = 0;
  let lostAt; // since when it is not open
  let timer;
  let awake = Date.now();

  function open() {
    const search = new URLSearchParams(query);
    if (lastId !== undefined) search.set('lastEventId', lastId);
    source = new EventSource(`/orderTraces/stream?${search}`);
    source.addEventListener('open', opened);
    source.addEventListener('begin', (event) => (lastId = event.lastEventId));
    source.addEventListener('trace', (event) => {
      lastId = event.lastEventId;
      onTrace(JSON.parse(event.data));
    });
    source.addEventListener('error', failed);
  }

  function opened() {
    refusals = 0;
    const missed =
      lostAt === undefined || lastId === undefined || Date.now() - lostAt > long_outage;
    lostAt = undefined;
    onState('live');
    if (missed) onGap();
  }

  function failed() {
    lostAt ??= Date.now();
    onState('lost');
    noteFailure();
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    // Refused: for a while by a busy server, or for ever because it does not know the last id any
    // more.
    if (++refusals >= 2) lastId = undefined;
    clearTimeout(timer);
    timer = setTimeout(open, Math.min(1000 * 2 ** refusals, 15_000) * (0.8 + 0.4 * Math.random()));
  }

  function leave() {
    clearTimeout(timer);
    source.close();
    lostAt ??= Date.now();
  }

  function reopen() {
    leave();
    open();
  }

  // A machine that slept has a connection that looks alive and is not. A page that nobody looks at
  // has left, and its timers come rarely, too.
  const watch = setInterval(() => {
    if (Date.now() - awake > tick + long_outage && !document.hidden) reopen();
    awake = Date.now();
  }, tick);
  let leaving;
  const seen = () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(leave, hidden_for);
    else if (source.readyState === EventSource.CLOSED) reopen();
  };
  document.addEventListener('visibilitychange', seen);
  const online = () => !document.hidden && source.readyState !== EventSource.OPEN && reopen();
  addEventListener('online', online);

  onState('connecting');
  open();
  seen();
  return {
    close() {
      clearTimeout(timer);
      clearTimeout(leaving);
      clearInterval(watch);
      document.removeEventListener('visibilitychange', seen);
      removeEventListener('online', online);
      source.close();
    },
  };
}
