import type { PicsDocument } from './format.js';
import { always, type Row, seconds, section } from './source.js';

/** What the controller's own constants say, under the names of its rooms. Times in ms. */
export interface ControllerFacts {
  readonly backOff: { readonly initial: number; readonly maximum: number; readonly multiplier: number; readonly jitter: number };
  /** For one address. */
  readonly addressTimeout: number;
  /** After which the next address is tried beside the one before. */
  readonly nextAddress: number;
}

const CONN: readonly Row<ControllerFacts>[] = [
  ['BACKOFF_INITIAL', 'first wait before a reconnection, s', ({ backOff }) => seconds(backOff.initial)],
  ['BACKOFF_MAX', 'longest wait, s', ({ backOff }) => seconds(backOff.maximum)],
  ['BACKOFF_MULTIPLIER', 'from one wait to the next', ({ backOff }) => backOff.multiplier],
  ['JITTER', 'waits are spread', ({ backOff }) => backOff.jitter > 0],
  ['JITTER_FACTOR', 'by this share, to both sides', ({ backOff }) => backOff.jitter],
];

const MULTIIF: readonly Row<ControllerFacts>[] = [
  ['TRY_ALL', 'every address is tried', always],
  ['TIMEOUT_PER_ADDR', 'time for one, ms', ({ addressTimeout }) => addressTimeout],
  ['PARALLEL_CONNECT', 'the next is tried beside a slow one', ({ addressTimeout, nextAddress }) => nextAddress < addressTimeout],
  ['CACHE_LAST_GOOD', 'the last good address comes first', always],
];

/** Every code of side C of pics-registry §6.2 and connection-establishment §8. */
export function controllerPics(facts: ControllerFacts, firmware: string): PicsDocument {
  return {
    head: ['MASH PICS File', `Device: mash-controller ${firmware}`, 'Version: 1.0'],
    sections: [
      section('Protocol (pics-format §4.1)', 'MASH.C', [['', 'a controller', always]], facts),
      section('Reconnection (pics-registry §6.2)', 'MASH.C.CONN', CONN, facts),
      section('Discovery (pics-registry §10.5)', 'MASH.C.DISC', [['PAIRING_REQUEST', 'announces pairing requests', always]], facts),
      section('Several interfaces (connection-establishment §8)', 'MASH.C.MULTIIF', MULTIIF, facts),
    ],
  };
}
