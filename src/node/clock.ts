import type { Clock, Timer } from '../platform.js';

/** setTimeout keeps its delay in 31 bits; a longer one would fire at once. */
const LONGEST = 0x7fff_ffff;

/**
 * Time of the machine: CLOCK_MONOTONIC and the wall clock. A pending timer keeps the process alive.
 * setTimeout may fire a fraction of a millisecond early, and after at most 2³¹−1 ms: a callback that is not due by `now()` is put off again.
 */
export function nodeClock(): Clock {
  return {
    now: monotonic,
    wall: () => Date.now(),
    after: (_name, delay, callback) => startTimer(delay, callback),
  };
}

/** Milliseconds of CLOCK_MONOTONIC. Not performance.now, which reads the same clock after loading ten modules of Node. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

function startTimer(delay: number, callback: () => void): Timer {
  const due = monotonic() + Math.max(0, delay);
  let timeout: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timeout = setTimeout(onTimeout, Math.min(Math.ceil(Math.max(0, due - monotonic())), LONGEST));
  };
  const onTimeout = (): void => {
    if (monotonic() < due) arm();
    else callback();
  };
  arm();
  return { cancel: () => clearTimeout(timeout) };
}
