import type { Clock, Timer } from '../platform.js';

/**
 * What stands between a unique name and its use on one link (RFC 6762 §8.1, §8.2, §9): `probing` for it, `waiting` until it may be probed
 * for, `owned`.
 */
export type ClaimState = 'probing' | 'waiting' | 'owned';
/** `silence`: nobody objected; `lost`: a simultaneous probe won; `conflict`: a response contradicts us; `due`: the wait is over. */
export type ClaimEvent = 'silence' | 'lost' | 'conflict' | 'due';
/** `announce` what is ours now; `probe` anew; `pause` for a second (§8.2); `retreat` from use and probe soon; `defer` to the one who has the name. */
export type ClaimEffect = 'announce' | 'probe' | 'pause' | 'retreat' | 'defer';

interface Step {
  readonly state: ClaimState;
  readonly effect: ClaimEffect;
}

const TABLE: Readonly<Record<ClaimState, Partial<Record<ClaimEvent, Step>>>> = {
  probing: {
    silence: { state: 'owned', effect: 'announce' },
    // §8.2: "it defers to the winning host by waiting one second, and then begins probing for this record again".
    lost: { state: 'waiting', effect: 'pause' },
    // §8.1: "the probing host MUST defer to the existing host".
    conflict: { state: 'waiting', effect: 'defer' },
  },
  waiting: { due: { state: 'probing', effect: 'probe' } },
  // §9: "reset its conflicted unique record to probing state, and go through the startup steps".
  owned: { conflict: { state: 'waiting', effect: 'retreat' } },
};

/** The step that an event makes; undefined when it makes none. */
export function next(state: ClaimState, event: ClaimEvent): Step | undefined {
  return TABLE[state][event];
}

/** RFC 6762 §8.2: the wait of who lost a tie-break, ms. */
export const TIE_PAUSE = 1000;
/** An instance whose name the specification fixes is tried again after this long, twice as long each time, ms. */
const RETRY_FIRST = 5000;
const RETRY_LONGEST = 60_000;

/** Ms to leave a name to the one who has it, after so many refusals in a row. */
export function retryPause(refusals: number): number {
  return Math.min(RETRY_FIRST * 2 ** (refusals - 1), RETRY_LONGEST);
}

/** One name on one link. The driver carries the effects out. */
export class Claim {
  state: ClaimState;
  /** Times in a row that the name was somebody else's. */
  refusals = 0;
  readonly #clock: Clock;
  readonly #carryOut: (effect: ClaimEffect) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, initial: ClaimState, carryOut: (effect: ClaimEffect) => void) {
    this.state = initial;
    this.#clock = clock;
    this.#carryOut = carryOut;
  }

  on(event: ClaimEvent): void {
    const step = next(this.state, event);
    if (step === undefined) return;
    this.state = step.state;
    if (step.effect === 'announce') this.refusals = 0;
    if (step.effect === 'defer') this.refusals++;
    this.#carryOut(step.effect);
  }

  /** Not to be probed for yet: `due` after so many ms. */
  postpone(milliseconds: number): void {
    this.state = 'waiting';
    this.wait(milliseconds);
  }

  /** `due` after so many ms. */
  wait(milliseconds: number): void {
    this.stop();
    this.#timer = this.#clock.after('MDNS_PROBE_WAIT', milliseconds, () => this.on('due'));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
