import { type CborKey, type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import type { Log, LogFields, LogLevel } from '../platform.js';
import type { ProtocolRecorder } from './recorder.js';

/** Depth to which fields are followed. */
const DEPTH = 6;
/** Characters of a text, entries of a list. */
const LONGEST = 1024;

/** A log that also records each of its lines, `debug` included, whatever level is shown. */
export function tapLog(log: Log, recorder: ProtocolRecorder, scope = ''): Log {
  const line = (level: LogLevel, text: string, fields: LogFields | undefined): void => {
    recorder.record({ kind: 'state', level, scope, text, fields: fieldsOf(fields ?? {}) });
    log[level](text, fields);
  };
  return {
    error: (text, fields) => line('error', text, fields),
    warn: (text, fields) => line('warn', text, fields),
    info: (text, fields) => line('info', text, fields),
    debug: (text, fields) => line('debug', text, fields),
    scoped: (inner) => tapLog(log.scoped(inner), recorder, inner),
  };
}

function fieldsOf(fields: object): CborMap {
  const map = new Map<CborKey, CborValue>();
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) map.set(key, cborOf(value, DEPTH));
  return map;
}

/** Secrets mask themselves: an object of a class of ours is its text form, never its fields. */
function cborOf(value: unknown, depth: number): CborValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
  if (typeof value === 'string') return value.slice(0, LONGEST);
  if (value instanceof Uint8Array) return value.slice(0, LONGEST);
  if (value instanceof Error) return `${value.name}: ${value.message}`.slice(0, LONGEST);
  if (depth > 0 && Array.isArray(value)) return value.slice(0, LONGEST).map((item) => cborOf(item, depth - 1));
  if (depth > 0 && value instanceof Map && isMap(value)) return fieldsOf(Object.fromEntries(value));
  if (depth > 0 && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const map = new Map<CborKey, CborValue>();
    for (const [key, inner] of Object.entries(value)) if (inner !== undefined) map.set(key, cborOf(inner, depth - 1));
    return map;
  }
  return String(value).slice(0, LONGEST);
}
