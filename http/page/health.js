// Whether the shop's services are well, asked again and again: more often while they are not.

import { get, onFailure } from './api.js';

const worried = 2_000;
const soonest = 1_000; // after the last look, however much goes wrong

/// Calls `onHealth` with { reached, components: {name: 'UP' | 'DOWN' …} } after each look, at once
/// for the first, then every `calm` milliseconds, and as soon as something fails. A page that
/// nobody looks at does not ask. `look` of what it returns asks at once.
export function watchHealth(onHealth, calm = 10_000) {
  let timer;
  let looked = -Infinity;

  async function look() {
    clearTimeout(timer);
    looked = performance.now();
    const answer = await get('/actuator/health');
    const health = read(answer);
    onHealth(health);
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(look, isWell(health) ? calm : Math.min(calm, worried));
  }

  document.addEventListener('visibilitychange', () => !document.hidden && look());
  onFailure(() => performance.now() - looked >= soonest && look());
  addEventListener('online', look);
  addEventListener('offline', look);
  look();
  return { look };
}

function isWell(health) {
  return health.reached && Object.values(health.components).every((status) => status === 'UP');
}

function read(answer) {
  const content = answer.body ?? answer.problem;
  if (!content?.components) return { reached: false, components: {} };
  const components = Object.entries(content.components).map(([name, part]) => [name, part.status]);
  return { reached: true, components: Object.fromEntries(components) };
}
