/** Runs `work` when the signal comes, at once where it has come, unless the function that is returned was called before. */
export function whenStopped(signal: AbortSignal, work: () => void): () => void {
  if (signal.aborted) work();
  else signal.addEventListener('abort', work, { once: true });
  return () => signal.removeEventListener('abort', work);
}

/** What the promise comes to, or undefined where the signal comes first. Nothing of it stays with a signal that outlives it. */
export function untilStopped<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const off = whenStopped(signal, () => resolve(undefined));
    promise.then(resolve, reject).finally(off);
  });
}
