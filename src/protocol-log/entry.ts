import { concat } from '../codec/bytes.js';
import { CborError, type CborKey, type CborMap, type CborValue, decodeCborItem, encodeCbor, isMap } from '../codec/cbor.js';

/** `in`: from a peer. */
export type Direction = 'in' | 'out';

/** What happened. A connection is known by a number, counted from 1 since the start. */
export type LogEvent =
  | { readonly kind: 'start'; readonly firmware: string; readonly board: string; readonly profile: string }
  | { readonly kind: 'open'; readonly connection: number; readonly channel: 'commissioning' | 'operational'; readonly remote: string }
  | {
      readonly kind: 'frame';
      readonly connection: number;
      readonly direction: Direction;
      /** Bytes of the frame without its prefix. */
      readonly size: number;
      /** The item as it was on the wire; where `masked`, encoded anew with its secrets as texts. */
      readonly payload: Uint8Array;
      readonly masked: boolean;
      /** Why it is no CBOR of this protocol: then the payload is its beginning alone. */
      readonly error?: string;
    }
  | { readonly kind: 'close'; readonly connection: number; readonly reason: string }
  /** A change of state, or any other line of the device's log. */
  | { readonly kind: 'state'; readonly level: string; readonly scope: string; readonly text: string; readonly fields: CborMap }
  /** A Multicast DNS packet: its questions and records as texts. */
  | {
      readonly kind: 'dns';
      readonly direction: Direction;
      readonly interface: string;
      readonly peer: string;
      readonly questions: readonly string[];
      readonly records: readonly string[];
    }
  /** So many entries could not be written. */
  | { readonly kind: 'dropped'; readonly entries: number };

export type LogKind = LogEvent['kind'];
export const LOG_KINDS: readonly LogKind[] = ['start', 'open', 'frame', 'close', 'state', 'dns', 'dropped'];

export interface LogEntry {
  /** Unix milliseconds as the device believed them. */
  readonly time: number;
  /** Monotonic microseconds. */
  readonly at: number;
  readonly event: LogEvent;
}

/** One item of the sequence: a map with text keys, `time`, `at` and those of the event. */
export function encodeEntry({ time, at, event }: LogEntry): Uint8Array {
  const map = new Map<CborKey, CborValue>([
    ['time', time],
    ['at', at],
  ]);
  for (const [key, value] of Object.entries(event)) if (value !== undefined) map.set(key, value);
  return encodeCbor(map);
}

/** More than any entry that is written: a frame of 1 MiB, and what stands beside it. */
const LONGEST_ENTRY = 4 * 1024 * 1024;

/** Reads a CBOR sequence of entries piece by piece, however long it is; what follows the last whole one is counted, never guessed at. */
export class LogReader {
  #rest: Uint8Array = new Uint8Array(0);
  #broken = false;
  #torn = 0;

  /** Bytes so far that are no entry: a power cut tears the last one. */
  get torn(): number {
    return this.#torn + this.#rest.length;
  }

  /** The entries that are whole with these bytes. */
  *push(bytes: Uint8Array): Generator<LogEntry> {
    if (this.#broken) {
      this.#torn += bytes.length;
      return;
    }
    const all = this.#rest.length === 0 ? bytes : concat(this.#rest, bytes);
    let at = 0;
    while (at < all.length) {
      const item = nextItem(all, at);
      if (item === undefined) break;
      const entry = entryOf(item.value);
      if (entry === undefined) {
        this.#broken = true;
        break;
      }
      at = item.end;
      yield entry;
    }
    this.#rest = all.slice(at);
    this.#broken ||= this.#rest.length > LONGEST_ENTRY;
    if (!this.#broken) return;
    this.#torn += this.#rest.length;
    this.#rest = new Uint8Array(0);
  }
}

function nextItem(bytes: Uint8Array, at: number): ReturnType<typeof decodeCborItem> | undefined {
  try {
    return decodeCborItem(bytes, at);
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    return undefined;
  }
}

function entryOf(value: CborValue): LogEntry | undefined {
  if (!isMap(value)) return undefined;
  const time = value.get('time');
  const at = value.get('at');
  const kind = value.get('kind');
  if (!isTime(time) || !isNumber(at) || !LOG_KINDS.some((known) => known === kind)) return undefined;
  const event: Record<string, CborValue> = {};
  for (const [key, inner] of value) if (key !== 'time' && key !== 'at') event[String(key)] = inner;
  return hasShape(event) ? { time: time as number, at: at as number, event } : undefined;
}

const SHAPES: Readonly<Record<LogKind, Readonly<Record<string, (value: CborValue | undefined) => boolean>>>> = {
  start: { firmware: isText, board: isText, profile: isText },
  open: { connection: isNumber, channel: oneOf('commissioning', 'operational'), remote: isText },
  frame: {
    connection: isNumber,
    direction: oneOf('in', 'out'),
    size: isNumber,
    payload: (value) => value instanceof Uint8Array,
    masked: (value) => typeof value === 'boolean',
    error: (value) => value === undefined || isText(value),
  },
  close: { connection: isNumber, reason: isText },
  state: { level: isText, scope: isText, text: isText, fields: isMap },
  dns: { direction: oneOf('in', 'out'), interface: isText, peer: isText, questions: isTexts, records: isTexts },
  dropped: { entries: isNumber },
};

function hasShape(event: Record<string, CborValue>): event is Record<string, CborValue> & LogEvent {
  return Object.entries(SHAPES[event['kind'] as LogKind]).every(([key, check]) => check(event[key]));
}

function oneOf(...texts: readonly string[]): (value: CborValue | undefined) => boolean {
  return (value) => texts.some((text) => text === value);
}
/** Unix milliseconds of the calendar (ECMA-262, time values). */
function isTime(value: CborValue | undefined): boolean {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15;
}
function isText(value: CborValue | undefined): boolean {
  return typeof value === 'string';
}
function isNumber(value: CborValue | undefined): boolean {
  return typeof value === 'number';
}
function isTexts(value: CborValue | undefined): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
