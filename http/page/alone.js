// One tab of a browser at a time.

const longest_wait = 10_000; // a suspended tab may never end; beyond a request's deadline

/// Runs `work` while no other tab of this browser runs any under this name, and gives its result.
/// Where the browser cannot tell (Web Locks: neither without TLS nor in Safari 14), or another tab
/// takes too long, `work` runs at once: it must do no harm beside another one.
export async function alone(name, work) {
  const { locks } = navigator;
  if (!locks) return work();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), longest_wait);
  let began = false;
  const begin = () => {
    began = true;
    clearTimeout(timer);
    return work();
  };
  try {
    return await locks.request(name, { signal: late.signal }, begin);
  } catch (problem) {
    if (began) throw problem;
    return work();
  }
}
