import type { Clock } from '../platform.js';
import { encodeEntry, type LogEvent } from './entry.js';

/** Where entries go. */
export interface ProtocolLogSink {
  /** Takes one encoded entry; false when it cannot (full, or failing): the entry is lost and counted. Never throws. */
  append(entry: Uint8Array): boolean;
}

/** Writes what the taps see into a sink, and counts what the sink could not take. */
export class ProtocolRecorder {
  readonly #clock: Clock;
  readonly #sink: ProtocolLogSink;
  #connections = 0;
  #dropped = 0;

  constructor(clock: Clock, sink: ProtocolLogSink) {
    this.#clock = clock;
    this.#sink = sink;
  }

  /** A number for a new connection, from 1. */
  nextConnection(): number {
    return ++this.#connections;
  }

  record(event: LogEvent): void {
    if (this.#dropped > 0 && this.#append({ kind: 'dropped', entries: this.#dropped })) this.#dropped = 0;
    if (this.#dropped > 0 || !this.#append(event)) this.#dropped++;
  }

  #append(event: LogEvent): boolean {
    const time = Math.floor(this.#clock.wall());
    return this.#sink.append(encodeEntry({ time, at: Math.floor(this.#clock.now() * 1000), event }));
  }
}
