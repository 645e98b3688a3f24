import type { Log, LogFields, LogLevel } from '../../src/platform.js';

export interface LogLine {
  readonly level: LogLevel;
  readonly scope: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that remembers its lines. */
export class MemoryLog implements Log {
  readonly lines: LogLine[];
  readonly #scope: string;

  constructor(scope = '', lines: LogLine[] = []) {
    this.#scope = scope;
    this.lines = lines;
  }

  error(message: string, fields: LogFields = {}): void {
    this.#add('error', message, fields);
  }
  warn(message: string, fields: LogFields = {}): void {
    this.#add('warn', message, fields);
  }
  info(message: string, fields: LogFields = {}): void {
    this.#add('info', message, fields);
  }
  debug(message: string, fields: LogFields = {}): void {
    this.#add('debug', message, fields);
  }
  scoped(scope: string): Log {
    return new MemoryLog(scope, this.lines);
  }

  #add(level: LogLevel, message: string, fields: LogFields): void {
    this.lines.push({ level, scope: this.#scope, message, fields });
  }
}
