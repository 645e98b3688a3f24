import { CborError, type CborValue, decodeCbor } from '../codec/cbor.js';
import type { Direction, LogEntry, LogKind } from './entry.js';
import { type FrameSummary, frameSummary } from './summary.js';

/** Connections that are remembered, requests of one that may wait for their answer, kinds of frames that are told apart. */
const MAX_CONNECTIONS = 4096;
const MAX_ASKED = 1024;
const MAX_TYPES = 256;
const LONGEST_TYPE = 64;

/** What of a log is wanted; what is absent does not restrict. */
export interface LogQuery {
  readonly kinds?: readonly LogKind[];
  readonly connections?: readonly number[];
  readonly direction?: Direction;
  /** Types of frames: `read`, `response`, `pase_x`. */
  readonly types?: readonly string[];
  /** Unix milliseconds, both included. */
  readonly since?: number;
  readonly until?: number;
  /** Stands in any text of the entry, whatever the case. */
  readonly text?: string;
}

/** An entry with what a reader needs beside it. */
export interface ReadEntry {
  readonly entry: LogEntry;
  /** Of a frame that is CBOR. */
  readonly summary?: FrameSummary;
}

/** Adds to each frame what it is: that depends on the channel of its connection. Entries come in their order. */
export class EntryReader {
  readonly #channels = new Map<number, 'commissioning' | 'operational'>();

  read(entry: LogEntry): ReadEntry {
    const { event } = entry;
    if (event.kind === 'start') this.#channels.clear();
    if (event.kind === 'open') this.#channels.set(event.connection, event.channel);
    // A channel that is gone is remembered for what was on its way; of thousands, the oldest are forgotten.
    if (this.#channels.size > MAX_CONNECTIONS) this.#channels.delete(this.#channels.keys().next().value as number);
    if (event.kind !== 'frame' || event.error !== undefined) return { entry };
    const item = itemOf(event.payload);
    if (item === undefined) return { entry };
    return { entry, summary: frameSummary(item, this.#channels.get(event.connection) ?? 'operational') };
  }
}

function itemOf(payload: Uint8Array): CborValue | undefined {
  try {
    return decodeCbor(payload);
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    return undefined;
  }
}

export function matches({ entry, summary }: ReadEntry, query: LogQuery): boolean {
  const { event, time } = entry;
  const { kinds, connections, direction, types, since, until, text } = query;
  if (kinds !== undefined && !kinds.includes(event.kind)) return false;
  if (connections !== undefined && !('connection' in event && connections.includes(event.connection))) return false;
  if (direction !== undefined && !('direction' in event && event.direction === direction)) return false;
  if (types !== undefined && !(summary !== undefined && types.includes(summary.type))) return false;
  if (since !== undefined && time < since) return false;
  if (until !== undefined && time > until) return false;
  return text === undefined || textOf({ entry, ...(summary === undefined ? {} : { summary }) }).includes(text.toLowerCase());
}

function textOf({ entry, summary }: ReadEntry): string {
  const parts: string[] = [];
  for (const value of [...Object.values(entry.event), ...Object.values(summary ?? {})]) {
    if (typeof value === 'string') parts.push(value);
    else if (Array.isArray(value)) parts.push(...value.filter((item) => typeof item === 'string'));
    else if (value instanceof Map)
      for (const [key, inner] of value) parts.push(`${key}=${typeof inner === 'string' ? inner : String(inner)}`);
  }
  return parts.join('\n').toLowerCase();
}

export interface LogStatistics {
  readonly entries: number;
  readonly torn: number;
  /** Unix milliseconds; undefined for an empty log. */
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly kinds: Readonly<Record<string, number>>;
  readonly connections: number;
  readonly frames: { readonly in: Traffic; readonly out: Traffic };
  /** Frames by type, responses by status as well. */
  readonly types: Readonly<Record<string, number>>;
  /** From the arrival of a request until its response left, milliseconds, to one per cent; undefined where none was answered. */
  readonly latency: { readonly count: number; readonly p50: number; readonly p99: number; readonly maximum: number } | undefined;
}

export interface Traffic {
  readonly frames: number;
  readonly bytes: number;
}

/** Counts entries one by one: its size does not grow with the log. */
export class LogCounter {
  #entries = 0;
  #first: number | undefined;
  #last: number | undefined;
  readonly #kinds: Record<string, number> = {};
  readonly #types = new Map<string, number>();
  readonly #traffic = { in: { frames: 0, bytes: 0 }, out: { frames: 0, bytes: 0 } };
  /** When a request came, by connection and id. */
  readonly #asked = new Map<number, Map<number, number>>();
  readonly #latency = new Histogram();

  add({ entry, summary }: ReadEntry): void {
    const { event, at, time } = entry;
    this.#entries++;
    this.#first ??= time;
    this.#last = time;
    this.#kinds[event.kind] = (this.#kinds[event.kind] ?? 0) + 1;
    if (event.kind === 'close') this.#asked.delete(event.connection);
    if (event.kind !== 'frame') return;
    const traffic = this.#traffic[event.direction];
    traffic.frames++;
    traffic.bytes += event.size;
    this.#count(summary === undefined ? 'unreadable' : summary.status === undefined ? summary.type : `${summary.type} ${summary.about}`);
    if (summary?.id === undefined) return;
    const isResponse = summary.type === 'response';
    if (event.direction === 'in' && !isResponse) this.#ask(event.connection, summary.id, at);
    if (event.direction === 'out' && isResponse) this.#answer(event.connection, summary.id, at);
  }

  /** `torn`: bytes at the end that are no entry. */
  result(torn: number): LogStatistics {
    return {
      entries: this.#entries,
      torn,
      first: this.#first,
      last: this.#last,
      kinds: this.#kinds,
      connections: this.#kinds['open'] ?? 0,
      frames: this.#traffic,
      types: Object.fromEntries(this.#types),
      latency: this.#latency.result,
    };
  }

  #count(type: string): void {
    const short = type.slice(0, LONGEST_TYPE);
    const name = this.#types.has(short) || this.#types.size < MAX_TYPES ? short : 'other';
    this.#types.set(name, (this.#types.get(name) ?? 0) + 1);
  }

  #ask(connection: number, id: number, at: number): void {
    const asked = this.#asked.get(connection) ?? new Map<number, number>();
    if (asked.size < MAX_ASKED) asked.set(id, at);
    if (this.#asked.size < MAX_CONNECTIONS) this.#asked.set(connection, asked);
  }

  #answer(connection: number, id: number, at: number): void {
    const since = this.#asked.get(connection)?.get(id);
    if (since === undefined) return;
    this.#asked.get(connection)?.delete(id);
    this.#latency.add((at - since) / 1000);
  }
}

/** Milliseconds in steps of one per cent. */
class Histogram {
  readonly #steps = new Map<number, number>();
  #count = 0;
  #maximum = 0;

  add(milliseconds: number): void {
    const step = Math.round(Math.log(Math.max(milliseconds, LEAST)) / STEP);
    this.#steps.set(step, (this.#steps.get(step) ?? 0) + 1);
    this.#count++;
    this.#maximum = Math.max(this.#maximum, milliseconds);
  }

  get result(): LogStatistics['latency'] {
    return this.#count === 0 ? undefined : { count: this.#count, p50: this.#at(0.5), p99: this.#at(0.99), maximum: this.#maximum };
  }

  #at(part: number): number {
    let beyond = Math.floor(part * this.#count);
    for (const [step, count] of [...this.#steps].sort(([a], [b]) => a - b)) {
      beyond -= count;
      if (beyond < 0) return Math.min(this.#maximum, Number(Math.exp(step * STEP).toPrecision(3)));
    }
    return this.#maximum;
  }
}

const STEP = Math.log(1.01);
/** A microsecond, in which `at` is told. */
const LEAST = 0.001;
