import type { Display } from '../display.js';

export type Shown =
  | { readonly kind: 'blank' }
  | { readonly kind: 'text'; readonly lines: readonly string[] }
  | { readonly kind: 'qr'; readonly content: string; readonly lines: readonly string[] };

/** A display that remembers what it shows; `onChange` is called with it after every change, from which a simulator draws. */
export class MockDisplay implements Display {
  readonly #onChange: (shown: Shown) => void;
  #shown: Shown = { kind: 'blank' };
  #failure: Error | undefined;
  #closed = false;

  constructor(onChange: (shown: Shown) => void = () => {}) {
    this.#onChange = onChange;
  }

  get shown(): Shown {
    return this.#shown;
  }

  get closed(): boolean {
    return this.#closed;
  }

  text(lines: readonly string[]): void {
    this.#show({ kind: 'text', lines: [...lines] });
  }

  qr(content: string, lines: readonly string[]): void {
    this.#show({ kind: 'qr', content, lines: [...lines] });
  }

  clear(): void {
    this.#show({ kind: 'blank' });
  }

  close(): void {
    this.#closed = true;
  }

  /** Makes every change throw `error` from now on; undefined repairs the display. */
  fail(error: Error | undefined): void {
    this.#failure = error;
  }

  #show(shown: Shown): void {
    if (this.#closed) throw new Error('display: closed');
    if (this.#failure !== undefined) throw this.#failure;
    this.#shown = shown;
    this.#onChange(shown);
  }
}
