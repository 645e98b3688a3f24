import { decodeCbor, encodeCbor } from '../codec/cbor.js';
import type { Clock, Log, Timer } from '../platform.js';
import type { Journal } from './journal.js';
import { defineRecord, readRecord, setRecord } from './records.js';

/** Every six hours: four writes a day are nothing to a flash, and a board that was off has lost at most that. */
const INTERVAL = 6 * 3600 * 1000;

const floorRecord = defineRecord<number>({
  key: 'time/floor',
  encode: (floor) => encodeCbor(floor),
  decode: (bytes) => {
    const value = decodeCbor(bytes);
    if (typeof value !== 'number') throw new Error('the floor is not a number');
    return value;
  },
});

/** The latest time ever seen, in the journal (Unix seconds): a floor for a clock that forgets. */
export class ClockFloor {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: Timer | undefined;

  constructor(journal: Journal, clock: Clock, log: Log) {
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
  }

  read(): number | undefined {
    return readRecord(this.#journal, floorRecord);
  }

  /** Stores without waiting: a floor that is lost costs nothing but precision. */
  store(floor: number): void {
    this.#journal
      .commit([setRecord(floorRecord, floor)])
      .catch((error: unknown) => this.#log.warn('the time could not be stored', { error }));
  }

  /** Asks for the present floor now and then, and stores it where it rose. */
  start(observe: () => number | undefined): void {
    const tick = (): void => {
      const floor = observe();
      if (floor !== undefined) this.store(floor);
      this.#timer = this.#clock.after('clock floor', INTERVAL, tick);
    };
    tick();
  }

  close(): void {
    this.#timer?.cancel();
  }
}
