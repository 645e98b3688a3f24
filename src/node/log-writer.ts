const BATCH = 5;

/**
 * Writes lines to a stream in batches, some milliseconds later: a line never keeps an answer waiting, though a pipe is written synchronously.
 * What is left at the end of the process is written then.
 */
export function lineWriter(stream: { write(text: string): unknown }): (line: string) => void {
  let waiting = '';
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    const text = waiting;
    waiting = '';
    if (text !== '') stream.write(text);
  };
  process.on('exit', flush);
  return (line) => {
    waiting += `${line}\n`;
    if (scheduled) return;
    scheduled = true;
    setTimeout(flush, BATCH);
  };
}
