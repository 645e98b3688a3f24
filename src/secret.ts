/** Bytes that must never be printed: setup codes, w0, private keys. Every text form is masked. */
export class Secret {
  readonly #bytes: Uint8Array;

  /** Takes a copy of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The bytes themselves, for a cryptographic operation or for the store; never kept, never printed. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  /** Overwrites the bytes. The secret is useless afterwards. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
