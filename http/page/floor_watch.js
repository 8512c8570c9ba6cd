// Keeps a ShopFloor (shop_floor.js) up to date: the stream first, then the lists, merged by rank.
// While the stream is not live, whatever the reason, the lists are read again and again.

import { clock, inParallel, timeOf, tracesWith } from './api.js';
import { byId, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { follow } from './live.js';
import { ShopFloor } from './shop_floor.js';
import { columns } from './traces.js';

const most_in_list = 400;
const most_known = 2_000; // orders: those of the lists, and what the stream tells of between them
const times_at_once = 4;
const again = 2_000;
const without_stream = 4_000; // so that with their answers no list is older than five seconds
const stream_begins = 1_000; // if it does not within this time, the lists are read without it

/// Returns { floor, takeHealth }. `onChange(change, trace)` is called when something changed:
/// `change` as `take` gives it, or undefined where the lists were read anew; `onGone(orders)` for
/// those that left without a word why. Says in the element `live` whether steps come in:
/// `takeHealth` gets each look at the services (health.js), for a stream stays open while nothing
/// can come through it.
export function watchFloor(onChange, onGone = () => {}) {
  const floor = new ShopFloor(most_known);
  let state = 'connecting';
  let away = false;
  let reading = false;
  let missed = false; // since the present reading began: another one must follow
  let listed = false; // the lists were read when it was last tried
  let timer;
  onLanguage(showState);

  follow(
    {},
    {
      onTrace(trace) {
        const change = floor.take(trace, performance.now());
        if (change) onChange(change, trace);
        if (floor.overflowed) readIn(without_stream);
      },
      onGap: readAnew,
      onState(now) {
        state = now;
        showState();
        if (state === 'silent') readAnew();
        else if (state !== 'live') readIn(state === 'lost' ? without_stream : stream_begins);
      },
    },
  );

  function readIn(milliseconds) {
    timer ??= setTimeout(read, milliseconds); // one that is due sooner stays
  }

  /// What is being read may be older than what was missed.
  function readAnew() {
    if (reading) missed = true;
    else read();
  }

  async function read() {
    clearTimeout(timer);
    timer = undefined;
    if (reading) return;
    reading = true;
    missed = false;
    const started = performance.now();
    const found = await lists();
    reading = false;
    listed = found !== undefined;
    showState();
    if (!found) return readIn(again);
    const { gone, changes } = floor.replace(found, started);
    for (const change of changes) onChange(...change);
    onChange();
    onGone(gone);
    if (missed) read();
    // The shop is there, only its stream is not; or there is more than the lists show.
    else if (state !== 'live' || floor.overflowed) readIn(without_stream);
    await learnTimes();
  }

  /// Since when orders wait, where the lists of an older version do not say so.
  async function learnTimes() {
    const timeless = floor.all().filter((order) => !order.since);
    const times = [];
    await inParallel(timeless, times_at_once, async ({ id, status }) => {
      times.push([id, status, await timeOf(id, status)]);
    });
    // At once: cards must not change places one by one.
    for (const time of times) floor.setSince(...time);
    if (times.length > 0) onChange();
  }

  function showState() {
    const element = byId('live');
    const shown = shownState();
    element.dataset.state = shown;
    setText(element, t(`live.${shown}`));
  }

  function shownState() {
    if (state === 'live') return away ? 'away' : 'live';
    if (state === 'lost') return 'lost';
    if (listed) return 'lists';
    return state === 'silent' ? 'lost' : 'connecting';
  }

  function takeHealth({ components }) {
    away = components.ordertrace === 'DOWN';
    showState();
  }

  return { floor, takeHealth };
}

// In the order in which orders go through them: one that moves on meanwhile is met twice, never
// missed.
async function lists() {
  const found = [];
  for (const { status, newestFirst } of columns) {
    const list = await tracesWith(status, most_in_list, newestFirst);
    if (!list) return undefined;
    found.push({ status, newestFirst, ...list });
  }
  return found;
}

export function now() {
  return clock.now();
}
