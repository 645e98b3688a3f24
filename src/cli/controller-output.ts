import { ControllerError, type ControllerErrorCode, type RetryAction } from '../controller/errors.js';
import type { Step } from '../controller/steps.js';
import { ConfigError, NetworkError, StoreError } from '../errors.js';

/** Exit codes of `mash-controller`. */
export const ExitCode = { OK: 0, FAILED: 1, USAGE: 2, NOT_FOUND: 3, NOT_TRUSTED: 4 } as const;

const NOT_FOUND: readonly ControllerErrorCode[] = [
  'NO_DEVICES_FOUND',
  'DISCRIMINATOR_MISMATCH',
  'ADDRESS_RESOLUTION_FAILED',
  'CONNECTION_FAILED',
  'NO_ZONE',
  'UNKNOWN_DEVICE',
];
const NOT_TRUSTED: readonly ControllerErrorCode[] = ['WRONG_CODE', 'NOT_TRUSTED'];

/** A failure as `--json` prints it under `error`, and its exit code. */
export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  /** The protocol's name of a status, and what a user can do. */
  readonly details: Readonly<Record<string, unknown>>;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof ControllerError) {
    const { code, message, details } = error;
    return { exitCode: exitCodeOf(code), code, message, details: { ...details } };
  }
  if (error instanceof ConfigError) return { exitCode: ExitCode.USAGE, code: 'USAGE', message: error.message, details: {} };
  if (error instanceof StoreError) return { exitCode: ExitCode.FAILED, code: 'STORE', message: error.message, details: {} };
  if (error instanceof NetworkError) return { exitCode: ExitCode.FAILED, code: 'NETWORK', message: error.message, details: {} };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: ExitCode.FAILED, code: 'INTERNAL', message, details: {} };
}

function exitCodeOf(code: ControllerErrorCode): number {
  if (NOT_FOUND.includes(code)) return ExitCode.NOT_FOUND;
  if (NOT_TRUSTED.includes(code)) return ExitCode.NOT_TRUSTED;
  return code === 'AMBIGUOUS_DEVICE' ? ExitCode.USAGE : ExitCode.FAILED;
}

/** connection-establishment §7.5: the retry action, in words. */
const RETRY: Readonly<Record<RetryAction, string>> = {
  browse: 'then look again',
  scan_qr: 'then scan the QR code again',
  connect: 'then connect again',
};

/** For people: the message, then what can be done about it. */
export function failureText({ message, details }: Failure): string {
  const suggestions = details['suggestions'];
  const lines = Array.isArray(suggestions) ? suggestions.map((suggestion) => `  - ${suggestion}`) : [];
  const retry = typeof details['retryAfter'] === 'number' ? [`  - Try again in ${details['retryAfter']} ms`] : [];
  const action = details['retryAction'] === undefined ? [] : [`  - ${RETRY[details['retryAction'] as RetryAction]}`];
  return [`mash-controller: ${message}`, ...lines, ...retry, ...action].join('\n');
}

/** ` 6  PASE                 12 ms  both sides proved the setup code`. */
export function stepText({ number, name, outcome, detail, milliseconds }: Step): string {
  const time = outcome === 'skipped' ? '-' : `${Math.round(milliseconds)} ms`;
  return `${String(number).padStart(2)}  ${name.padEnd(19)} ${time.padStart(8)}  ${outcome === 'failed' ? 'FAILED: ' : ''}${detail}`;
}

/** Columns as wide as their longest value. */
export function table(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const columns = rows[0]?.map((_cell, i) => width(i)) ?? [];
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padEnd(columns[i] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** `name  value` lines of a Read. */
export function valuesText(values: Readonly<Record<string, unknown>>): string {
  return table(Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
}

/** Unix seconds as ISO 8601. */
export function isoTime(unix: number): string {
  return new Date(unix * 1000).toISOString();
}
