import type { DialectName } from '../dialect/messages.js';
import type { Claims } from './claims.js';
import type { Trial } from './trial.js';
import type { Verdict } from './verdict.js';

/** What has to be there for a case; without it the case is skipped, and its reason says what would help. */
export type Need =
  /** The commissioning window, opened by TestControl, by a command, or found open. */
  | 'window'
  /** A TEST zone that knows the enable key. */
  | 'enableKey'
  /** An interface on which the device is heard. */
  | 'multicast'
  /** A command that restarts the device. */
  | 'restart';

interface CaseHead {
  /** Of the specification (`TC-PASE-1`), of the reference's suite (`TC-TLS-ALPN-002`), or our own, with a word in place of the chapter's name. */
  readonly id: string;
  readonly title: string;
  /** Document and section: `commissioning-pase §10`. */
  readonly source: string;
}

/** A case that is decided from outside of the device. */
export interface BlackBoxCase extends CaseHead {
  /** Codes that the PICS must not deny. */
  readonly pics: readonly string[];
  /** Once in each dialect, in one alone, or once whatever the dialect. */
  readonly dialects: 'each' | 'any' | DialectName;
  readonly needs: readonly Need[];
  /** Seconds that it waits by design: above the runner's patience it is skipped. */
  readonly waits?: (pics: Claims) => number;
  /** Resolves with what was seen; rejects with `Refuted` or `NotApplicable`. */
  readonly run: (trial: Trial) => Promise<string>;
}

/** A case of the specification that no black box on the network can decide. */
export interface ForeignCase extends CaseHead {
  /** Why, and what decides it. */
  readonly elsewhere: string;
}

export type ConformanceCase = BlackBoxCase | ForeignCase;

/** What became of a case, in one dialect where the dialect matters. */
export interface Outcome extends CaseHead {
  readonly dialect: DialectName | undefined;
  readonly pics: readonly string[];
  readonly verdict: Verdict;
  /** What was seen (pass), what was due and seen (fail), why it was not tried (skip). */
  readonly reason: string;
  /** As far as it came. */
  readonly steps: readonly string[];
  /** Milliseconds. */
  readonly took: number;
}

export function isBlackBox(entry: ConformanceCase): entry is BlackBoxCase {
  return 'run' in entry;
}
