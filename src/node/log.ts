import { ConfigError, NetworkError, PeerError, StoreError } from '../errors.js';
import type { Log, LogFields, LogLevel } from '../platform.js';

export const LOG_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

export interface NodeLogOptions {
  readonly level: LogLevel;
  /** `json`: one object a line, for a service manager; `pretty`: for people. */
  readonly format: 'pretty' | 'json';
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
}

/** Lines on a stream. Secrets mask themselves; bytes are shown as hexadecimal. */
export function nodeLog(options: NodeLogOptions, scope = ''): Log {
  const enabled = LOG_LEVELS.indexOf(options.level);
  const line = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) > enabled) return;
    options.write(options.format === 'json' ? json(level, scope, message, fields) : pretty(level, scope, message, fields));
  };
  return {
    error: (message, fields) => line('error', message, fields),
    warn: (message, fields) => line('warn', message, fields),
    info: (message, fields) => line('info', message, fields),
    debug: (message, fields) => line('debug', message, fields),
    scoped: (inner) => nodeLog(options, inner),
  };
}

function json(level: LogLevel, scope: string, message: string, fields: LogFields): string {
  const own = { time: new Date().toISOString(), level, scope, message };
  return JSON.stringify({ ...own, ...fields, ...own }, plain);
}

function pretty(level: LogLevel, scope: string, message: string, fields: LogFields): string {
  const time = new Date().toISOString().slice(11, 23);
  const told = Object.entries(fields).filter(([, value]) => value !== undefined);
  const rest = told.map(([key, value]) => ` ${key}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value, plain)}`);
  return `${time} ${level.padEnd(5)} ${scope === '' ? '' : `${scope}: `}${message}${rest.join('')}`;
}

/** Bare where it is one word of visible ASCII; else quoted, with line ends and terminal controls escaped: peers choose some of these texts. */
function quoted(value: string): string {
  if (/^[!#-~]+$/.test(value)) return value;
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message, ...(isExpected(value) ? {} : { stack: value.stack }) };
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, 64)).toString('hex');
  return typeof value === 'bigint' ? String(value) : value;
}

/** Not a bug of ours: where it was thrown says nothing. */
function isExpected(error: Error): boolean {
  return error instanceof ConfigError || error instanceof PeerError || error instanceof NetworkError || error instanceof StoreError;
}
