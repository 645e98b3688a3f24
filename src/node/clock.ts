import type { Clock, Timer } from '../platform.js';

/** setTimeout keeps its delay in 31 bits; a longer one would fire at once. */
const LONGEST = 0x7fff_ffff;

/**
 * Time of the machine: performance.now (CLOCK_MONOTONIC) and the wall clock. A pending timer keeps the process alive.
 * setTimeout may fire a fraction of a millisecond early, and after at most 2³¹−1 ms: a callback that is not due by `now()` is put off again.
 */
export function nodeClock(): Clock {
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    after: (_name, delay, callback) => startTimer(delay, callback),
  };
}

function startTimer(delay: number, callback: () => void): Timer {
  const due = performance.now() + Math.max(0, delay);
  let timeout: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timeout = setTimeout(onTimeout, Math.min(Math.ceil(Math.max(0, due - performance.now())), LONGEST));
  };
  const onTimeout = (): void => {
    if (performance.now() < due) arm();
    else callback();
  };
  arm();
  return { cancel: () => clearTimeout(timeout) };
}
