// Keeps a ShopFloor (shop_floor.js) up to date: the stream first, then the lists, merged by rank.
// While the stream is not live, whatever the reason, the lists are read again and again.

import { clock, inParallel, timeOf, tracesWith } from './api.js';
import { byId, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { follow } from './live.js';
import { ShopFloor } from './shop_floor.js';
import { columns } from './traces.js';

const most_in_list = 400;
const times_at_once = 4;
const again = 2_000;
const without_stream = 4_000; // so that with their answers no list is older than five seconds
const stream_begins = 1_000; // if it does not within this time, the lists are read without it

/// Returns { floor, takeHealth }. `onChange(change, trace)` is called when something changed:
/// `change` as `take` gives it, or undefined where the lists were read anew. Says in the element
/// `live` whether steps come in: `takeHealth` gets each look at the services (health.js), for a
/// stream stays open while nothing can come through it.
export function watchFloor(onChange) {
  const floor = new ShopFloor(columns.length * most_in_list);
  let state = 'connecting';
  let away = false;
  let reading = false;
  let listed = false; // the lists were read when it was last tried
  let timer;
  onLanguage(showState);

  follow(
    {},
    {
      onTrace(trace) {
        const change = floor.take(trace, performance.now());
        if (change) onChange(change, trace);
        if (floor.overflowed && floor.all().length < most_in_list) read();
      },
      onGap: read,
      onState(now) {
        state = now;
        showState();
        if (state !== 'live') readIn(state === 'lost' ? without_stream : stream_begins);
      },
    },
  );

  function readIn(milliseconds) {
    timer ??= setTimeout(read, milliseconds); // one that is due sooner stays
  }

  async function read() {
    clearTimeout(timer);
    timer = undefined;
    if (reading) return;
    reading = true;
    const started = performance.now();
    const traces = await lists();
    reading = false;
    if (!traces) {
      listed = false;
      showState();
      readIn(again);
      return;
    }
    if (state !== 'live') readIn(without_stream); // the shop is there, only its stream is not
    listed = true;
    showState();
    floor.replace(traces, started);
    onChange();
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
    const shown =
      state === 'live' && away ? 'away' : state === 'connecting' && listed ? 'lists' : state;
    element.dataset.state = shown;
    setText(element, t(`live.${shown}`));
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
  for (const column of columns) {
    const traces = await tracesWith(column.status, most_in_list);
    if (!traces) return undefined;
    found.push(...traces);
  }
  return found;
}

export function now() {
  return clock.now();
}
