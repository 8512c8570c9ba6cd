// The stream of traces as a page follows it: it resumes by itself, and says when it may have missed
// something.

import { noteFailure } from './api.js';

const long_outage = 30_000;
const tick = 500;
const late = 1_000; // so late may a heartbeat come
const given_up = 5_000; // so late that the connection is made anew
const hidden_for = 10_000; // then a page that nobody looks at leaves its connection to others

/// Follows `/orderTraces/stream` with this query. `onTrace` gets each trace in order. `onGap` is
/// called when the stream begins without the past (at the start, and after a long outage): read the
/// lists then. `onState` gets 'connecting', 'live' or 'lost'. The stream is live once something was
/// heard on it, until it is silent for too long: a proxy may answer, and hold back all that
/// follows. `evenHidden` keeps it while nobody looks at the page. Returns { close }.
export function follow(query, options) {
  const { onTrace, onGap = () => {}, onState = () => {}, evenHidden = false } = options;
  let source;
  let lastId; // of the last event seen
  let refusals = 0;
  let state;
  let lostAt; // since when it is not live
  let timer;
  let awake = Date.now();
  let heard; // when something was heard last on this connection
  let heartbeat = Infinity; // milliseconds in which something is heard, once the server said so

  const isAway = () => document.hidden && !evenHidden;

  function become(next) {
    if (state === next) return;
    state = next;
    onState(state);
  }

  function open() {
    const search = new URLSearchParams(query);
    search.set('heartbeat', 'event');
    if (lastId !== undefined) search.set('lastEventId', lastId);
    heard = undefined;
    source = new EventSource(`/orderTraces/stream?${search}`);
    source.addEventListener('begin', (event) => {
      lastId = event.lastEventId;
      hear(true);
    });
    source.addEventListener('trace', (event) => {
      lastId = event.lastEventId;
      hear();
      onTrace(JSON.parse(event.data));
    });
    source.addEventListener('alive', (event) => {
      heartbeat = JSON.parse(event.data).everyMs;
      if (lastId !== undefined) hear(); // else its beginning follows
    });
    source.addEventListener('error', failed);
  }

  /// `begins`: without the past.
  function hear(begins = false) {
    heard = Date.now();
    refusals = 0;
    const missed = begins || heard - lostAt > long_outage;
    lostAt = undefined;
    become('live');
    if (missed) onGap();
  }

  function failed() {
    lostAt ??= Date.now();
    heard = undefined;
    become('lost');
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
    become('lost');
    open();
  }

  // A machine that slept, or a network that went without a word, has a connection that looks alive
  // and is not. A page that nobody looks at has left, and its timers come rarely, too.
  const watch = setInterval(() => {
    const now = Date.now();
    const slept = now - awake > tick + long_outage;
    const silence = heard === undefined ? 0 : now - heard;
    if (!isAway()) {
      if (slept || silence > 2 * heartbeat + given_up) reopen();
      else if (silence > heartbeat + late && state === 'live') become('silent');
    }
    awake = now;
  }, tick);
  let leaving;
  const seen = () => {
    clearTimeout(leaving);
    if (isAway()) leaving = setTimeout(leave, hidden_for);
    else if (source.readyState === EventSource.CLOSED) reopen();
  };
  document.addEventListener('visibilitychange', seen);
  const online = () => !isAway() && source.readyState !== EventSource.OPEN && reopen();
  addEventListener('online', online);

  become('connecting');
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
