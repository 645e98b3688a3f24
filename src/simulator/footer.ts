const ESCAPE = '\u001b[';

/** Lines that stay below everything else that is written on a terminal. */
export class Footer {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  #lines: readonly string[] = [];
  #closed = false;

  /** `columns`: the terminal's width at the moment. */
  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Writes whole lines above the footer. */
  print(text: string): void {
    this.#write(this.#erase() + text + this.#text());
  }

  /** Shows these lines from now on; the same ones again are not written. */
  show(lines: readonly string[]): void {
    if (this.#closed || (lines.length === this.#lines.length && lines.every((line, i) => line === this.#lines[i]))) return;
    const erase = this.#erase();
    this.#lines = lines;
    this.#write(erase + this.#text());
  }

  /** Takes it away; what is printed afterwards stands alone. Idempotent. */
  close(): void {
    this.show([]);
    this.#closed = true;
  }

  #erase(): string {
    return this.#lines.length === 0 ? '' : `${ESCAPE}${this.#lines.length}A\r${ESCAPE}J`;
  }

  // A line that wraps would be two, and the erasure one too few.
  #text(): string {
    const width = Math.max(1, this.#columns() - 1);
    return this.#lines.map((line) => `${[...line].slice(0, width).join('')}\n`).join('');
  }
}
