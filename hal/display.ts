/** Contract of a display: a few lines of text and a QR code of any string. A display that fails throws; the runtime goes on without it. */
export interface Display {
  /** Replaces everything shown by these lines. */
  text(lines: readonly string[]): void;
  /** Replaces everything shown by a QR code of `content` with lines below it. */
  qr(content: string, lines: readonly string[]): void;
  clear(): void;
  close(): void;
}
