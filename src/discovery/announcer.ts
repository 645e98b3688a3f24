import type { Clock } from '../platform.js';
import { Series } from './timing.js';

/**
 * RFC 6762 §8.3: "The Multicast DNS responder MUST send at least two unsolicited responses, one second apart. To provide increased
 * robustness against packet loss, a responder MAY send up to eight unsolicited responses, provided that the interval between unsolicited
 * responses increases by at least a factor of two with every response sent." connection-establishment §2.6 asks for three.
 */
const ANNOUNCEMENTS = [0, 1000, 2000];

/** RFC 6762 §6 keeps a record from being multicast again within a second; discovery §3.5 wants a change told within one, ms. */
const REPEAT = 1000;

/** One goodbye is repeated, in case the first was lost. */
const GOODBYES = [0, 1000];

/** The unsolicited packets of one service: announcements while it is published, then its goodbyes. One replaces the other. */
export class Announcer {
  readonly #announcements: Series;
  readonly #goodbyes: Series;
  #last = Number.NEGATIVE_INFINITY;

  /** The first two actions send to every interface of the moment; `gone` follows the last goodbye. */
  constructor(clock: Clock, announce: () => void, sayGoodbye: () => void, gone: () => void) {
    this.#announcements = new Series(
      clock,
      'MDNS_ANNOUNCE',
      (run) => (run === 0 ? Math.max(0, this.#last + REPEAT - clock.now()) : ANNOUNCEMENTS[run]),
      () => {
        this.#last = clock.now();
        announce();
      },
    );
    this.#goodbyes = new Series(
      clock,
      'MDNS_GOODBYE',
      (run) => GOODBYES[run],
      (run) => {
        sayGoodbye();
        if (run === GOODBYES.length - 1) gone();
      },
    );
  }

  /** The first announcement is due at once, or a second after the one before; goodbyes still due are dropped. */
  announce(): void {
    this.#goodbyes.stop();
    this.#announcements.start();
  }

  /** The first goodbye is due at once; announcements still due are dropped. */
  leave(): void {
    this.#announcements.stop();
    this.#goodbyes.start();
  }

  stop(): void {
    this.#announcements.stop();
    this.#goodbyes.stop();
  }
}
