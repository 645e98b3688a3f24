import { type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { integerAt, mapOf } from '../codec/shape.js';
import { defineRecord, type RecordDefinition } from '../store/records.js';
import type { ModeSettings } from './charging-mode.js';

/** s (features.md §5). */
export const LONGEST_DELAY = 3600;
const VERSION = 1;

/** The mode of an endpoint survives a restart: a car that waits for the sun does not charge from the grid after a power cut. */
export function modeRecord(endpoint: number): RecordDefinition<ModeSettings> {
  return defineRecord({
    key: `charging/${endpoint}/mode`,
    encode: ({ mode, surplusThreshold, startDelay, stopDelay }) =>
      encodeCbor(
        new Map<number, CborValue>([
          [0, VERSION],
          [1, mode],
          [2, surplusThreshold],
          [3, startDelay],
          [4, stopDelay],
        ]),
      ),
    decode: (bytes) => {
      const map = mapOf(decodeCbor(bytes), 'charging mode record');
      integerAt(map, 0, 'charging mode record version', VERSION, VERSION);
      return {
        mode: integerAt(map, 1, 'charging mode', 0, 4),
        surplusThreshold: map.get(2) === null ? null : integerAt(map, 2, 'surplus threshold'),
        startDelay: integerAt(map, 3, 'start delay', 0, LONGEST_DELAY),
        stopDelay: integerAt(map, 4, 'stop delay', 0, LONGEST_DELAY),
      };
    },
  });
}
