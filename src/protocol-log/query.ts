import { decodeCbor } from '../codec/cbor.js';
import type { Direction, LogEntry, LogKind } from './entry.js';
import { type FrameSummary, frameSummary } from './summary.js';

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

/** Adds to each frame what it is: that depends on the channel of its connection. */
export function readEntries(entries: readonly LogEntry[]): readonly ReadEntry[] {
  const channels = new Map<number, 'commissioning' | 'operational'>();
  return entries.map((entry) => {
    const { event } = entry;
    if (event.kind === 'start') channels.clear();
    if (event.kind === 'open') channels.set(event.connection, event.channel);
    if (event.kind !== 'frame' || event.error !== undefined) return { entry };
    return { entry, summary: frameSummary(decodeCbor(event.payload), channels.get(event.connection) ?? 'operational') };
  });
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
  /** From the arrival of a request until its response left, milliseconds; undefined where none was answered. */
  readonly latency: { readonly count: number; readonly p50: number; readonly p99: number; readonly maximum: number } | undefined;
}

export interface Traffic {
  readonly frames: number;
  readonly bytes: number;
}

export function statistics(entries: readonly ReadEntry[], torn: number): LogStatistics {
  const kinds: Record<string, number> = {};
  const types: Record<string, number> = {};
  const traffic = { in: { frames: 0, bytes: 0 }, out: { frames: 0, bytes: 0 } };
  const asked = new Map<string, number>();
  const latencies: number[] = [];
  const count = (table: Record<string, number>, key: string): void => {
    table[key] = (table[key] ?? 0) + 1;
  };
  for (const { entry, summary } of entries) {
    const { event, at } = entry;
    count(kinds, event.kind);
    if (event.kind !== 'frame') continue;
    traffic[event.direction].frames++;
    traffic[event.direction].bytes += event.size;
    count(types, summary === undefined ? 'unreadable' : summary.status === undefined ? summary.type : `${summary.type} ${summary.about}`);
    if (summary?.id === undefined) continue;
    const exchange = `${event.connection} ${summary.id}`;
    const isResponse = summary.type === 'response';
    if (event.direction === 'in' && !isResponse) asked.set(exchange, at);
    const since = event.direction === 'out' && isResponse ? asked.get(exchange) : undefined;
    if (since === undefined) continue;
    asked.delete(exchange);
    latencies.push((at - since) / 1000);
  }
  return {
    entries: entries.length,
    torn,
    first: entries[0]?.entry.time,
    last: entries.at(-1)?.entry.time,
    kinds,
    connections: kinds['open'] ?? 0,
    frames: traffic,
    types,
    latency: latencyOf(latencies.sort((a, b) => a - b)),
  };
}

function latencyOf(sorted: readonly number[]): LogStatistics['latency'] {
  const maximum = sorted.at(-1);
  if (maximum === undefined) return undefined;
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), maximum };
}
