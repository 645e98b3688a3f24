import { type CborValue, decodeCbor, Float, isMap, WideInteger } from '../codec/cbor.js';
import { toHex } from '../codec/hex.js';
import { diagnostic } from '../protocol-log/diagnostic.js';
import type { LogStatistics, ReadEntry } from '../protocol-log/query.js';
import { visible } from './visible.js';

/** One line: time, what it is about, and the item in diagnostic notation. */
export function entryText(read: ReadEntry): string {
  return visible(lineOf(read));
}

function lineOf({ entry, summary }: ReadEntry): string {
  const { event } = entry;
  const time = new Date(entry.time).toISOString().slice(0, 23);
  switch (event.kind) {
    case 'start':
      return `${time} start  firmware ${event.firmware}, board ${event.board}, profile ${event.profile}`;
    case 'open':
      return `${time} #${event.connection} open   ${event.channel} ${event.remote}`;
    case 'close':
      return `${time} #${event.connection} close  ${event.reason}`;
    case 'frame': {
      const arrow = event.direction === 'in' ? '<-' : '->';
      const head = `${time} #${event.connection} ${arrow} ${event.size} B`;
      if (summary === undefined) return `${head} unreadable: ${event.error ?? 'no CBOR'} h'${toHex(event.payload).toLowerCase()}'`;
      const id = summary.id === undefined ? '' : ` ${summary.id}`;
      const about = summary.about === '' ? '' : ` ${summary.about}`;
      return `${head} ${summary.type}${id}${about}${event.masked ? ' (masked)' : ''}  ${diagnostic(decodeCbor(event.payload))}`;
    }
    case 'state': {
      const fields = [...event.fields].map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : diagnostic(value)}`);
      return `${time} ${event.level.padEnd(5)}  ${event.scope === '' ? '' : `${event.scope}: `}${event.text}${fields.join('')}`;
    }
    case 'dns': {
      const arrow = event.direction === 'in' ? '<-' : '->';
      const asked = event.questions.map((question) => `? ${question}`);
      return `${time} dns ${arrow} ${event.interface} ${event.peer}  ${[...asked, ...event.records].join(' | ')}`;
    }
    case 'dropped':
      return `${time} dropped ${event.entries} entries`;
  }
}

/** The entry as one JSON value; bytes as hexadecimal, a frame's item as JSON beside them. */
export function entryJson({ entry, summary }: ReadEntry): unknown {
  const { time, at, event } = entry;
  const shown = Object.fromEntries(Object.entries(event).map(([key, value]) => [key, json(value as CborValue)]));
  const frame = summary === undefined || event.kind !== 'frame' ? {} : { summary, item: json(decodeCbor(event.payload)) };
  return { time: new Date(time).toISOString(), at, ...shown, ...frame };
}

function json(value: CborValue): unknown {
  if (value instanceof Uint8Array) return toHex(value).toLowerCase();
  if (value instanceof Float) return value.value;
  if (value instanceof WideInteger) return diagnostic(value);
  if (isMap(value)) return Object.fromEntries([...value].map(([key, inner]) => [String(key), json(inner)]));
  return Array.isArray(value) ? value.map(json) : value;
}

export function statisticsText(found: LogStatistics): string {
  const when = (time: number | undefined): string => (time === undefined ? '-' : new Date(time).toISOString());
  const counts = (table: Readonly<Record<string, number>>): string[] =>
    Object.entries(table)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `  ${name.padEnd(32)} ${count}`);
  const { latency, frames } = found;
  return [
    `${found.entries} entries from ${when(found.first)} to ${when(found.last)}${found.torn > 0 ? `, ${found.torn} torn bytes` : ''}`,
    ...counts(found.kinds),
    `${found.connections} connections; in ${frames.in.frames} frames, ${frames.in.bytes} bytes; out ${frames.out.frames} frames, ${frames.out.bytes} bytes`,
    ...counts(found.types),
    latency === undefined
      ? 'no request was answered'
      : `${latency.count} answers: p50 ${latency.p50} ms, p99 ${latency.p99} ms, longest ${latency.maximum} ms`,
  ].join('\n');
}
