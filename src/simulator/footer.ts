const ESCAPE = '\u001b[';

/** The terminal's size at the moment. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lines that stay below everything else that is written on a terminal. They may hold colours, no other controls. */
export class Footer {
  readonly #write: (text: string) => void;
  readonly #size: () => TerminalSize;
  /** As written: cut to the terminal's size of then. */
  #lines: readonly string[] = [];
  #closed = false;

  constructor(write: (text: string) => void, size: () => TerminalSize) {
    this.#write = write;
    this.#size = size;
  }

  /** Writes whole lines above the footer. */
  print(text: string): void {
    this.#write(this.#erase() + text + this.#text());
  }

  /** Shows these lines from now on. Only what differs is written: a mark that the mouse has set on another line stays. */
  show(lines: readonly string[]): void {
    if (this.#closed) return;
    const fitting = this.#fit(lines);
    const before = this.#lines;
    if (fitting.length !== before.length || this.#rows() !== before.length) {
      const erase = this.#erase();
      this.#lines = fitting;
      if (erase !== '' || fitting.length > 0) this.#write(erase + this.#text());
      return;
    }
    this.#lines = fitting;
    if (fitting.every((line, i) => line === before[i])) return;
    const changes = fitting.map((line, i) => (line === before[i] ? '\n' : `${ESCAPE}2K${line}\n`));
    this.#write(`${ESCAPE}${before.length}A\r${changes.join('')}`);
  }

  /** Takes it away; what is printed afterwards stands alone. Idempotent. */
  close(): void {
    this.show([]);
    this.#closed = true;
  }

  #erase(): string {
    return this.#lines.length === 0 ? '' : `${ESCAPE}${this.#rows()}A\r${ESCAPE}J`;
  }

  // A terminal that became narrower has wrapped them.
  #rows(): number {
    const { columns } = this.#size();
    return this.#lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(visible(line) / Math.max(1, columns))), 0);
  }

  // A line that wraps, or one that scrolls out, would be one that the erasure misses.
  #fit(lines: readonly string[]): readonly string[] {
    const { columns, rows } = this.#size();
    const width = Math.max(1, columns - 1);
    return lines
      .slice(0, Math.max(1, rows - 1))
      .map((line) => (visible(line) <= width ? line : [...withoutColours(line)].slice(0, width).join('')));
  }

  #text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }
}

function visible(line: string): number {
  return [...withoutColours(line)].length;
}

function withoutColours(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of ECMA-48 is what is looked for.
  return line.replace(/\u001b\[[\d;]*m/g, '');
}
