import type { DeviceDescription } from '../device/description.js';
import type { BoardDefinition } from '../model/board.js';
import type { Profile } from '../profile.js';
import type { PicsLine, PicsSection } from './format.js';

/** What the adapters of the machine are given, under the names that they have there. */
export interface TransportFacts {
  /** The address that is listened on. */
  readonly address: string;
  readonly port: number;
  /** `TLSv1.3` */
  readonly version: string;
  /** Between colons. */
  readonly ciphers: string;
  readonly groups: string;
  /** Who is asked for a certificate. */
  readonly mutual: Readonly<Record<'commissioning' | 'operational', boolean>>;
  /** Rest before a change of the interfaces counts, ms. */
  readonly debounce: number;
}

/** What the values of a device's PICS are taken from: nothing of a PICS is written down anywhere else. */
export interface PicsSource {
  readonly profile: Profile;
  readonly board: BoardDefinition;
  readonly device: DeviceDescription;
  readonly transport: TransportFacts;
}

/** One code: what it says and how its value is found. True and false are 1 and 0. */
export type Row<S> = readonly [code: string, about: string, value: (source: S) => number | string | boolean];

export function section<S>(title: string, prefix: string, rows: readonly Row<S>[], source: S): PicsSection {
  return { title, lines: rows.map(([code, about, value]): PicsLine => ({ code: join(prefix, code), about, value: plain(value(source)) })) };
}

/** Of what every device of this firmware has: it stands in no object, a probe alone shows it. */
export function always(): boolean {
  return true;
}

function join(prefix: string, code: string): string {
  return code === '' ? prefix : `${prefix}.${code}`;
}

function plain(value: number | string | boolean): number | string {
  return typeof value === 'boolean' ? Number(value) : value;
}

/** ms → s, as PICS tell times. */
export function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

/** ms → days. */
export function days(milliseconds: number): number {
  return milliseconds / 86_400_000;
}
