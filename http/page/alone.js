// One tab of a browser at a time.

const longest_wait = 10_000; // a suspended tab may never end; beyond a request's deadline
const spreads_in = 250; // what one tab stored is read by the others a moment later

/// Runs `work` while no other tab of this browser runs any under this name, and gives its result.
/// The next one finds in the storage what this one wrote. Where the browser cannot tell (Web Locks:
/// neither without TLS nor in Safari 14), or another tab takes too long, `work` runs at once: it
/// must do no harm beside another one.
export function alone(name, work) {
  const { locks } = navigator;
  if (!locks) return work();
  return new Promise((resolve, reject) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), longest_wait);
    let began = false;
    const begin = async () => {
      if (began) return;
      began = true;
      clearTimeout(timer);
      await work().then(resolve, reject);
      await new Promise((spread) => setTimeout(spread, spreads_in));
    };
    locks.request(name, { signal: late.signal }, begin).catch(begin); // none to be had
  });
}
