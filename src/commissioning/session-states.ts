import { Status } from '../dialect/messages.js';
import type { Profile } from '../profile.js';

/**
 * One commissioning as a table (commissioning-pase §3; protocol.md §2.7–2.9). Events are what the peer did and what the device's own work came
 * to; effects are carried out by `session.ts`. Each transition that is not listed is refused in one place: status 8.
 */
export type StateName =
  | 'PASE_WAIT_X'
  | 'PASE_COMPUTE'
  | 'PASE_WAIT_V'
  | 'PASE_VERIFIED'
  | 'CSR_GENERATE'
  | 'CERT_WAIT'
  | 'CERT_INSTALL'
  | 'COMPLETE'
  | 'CLOSED';

export interface SessionState {
  readonly name: StateName;
  /** When `deadline` must be fed in. */
  readonly deadline: number;
  /** The first message's time, from which the whole is bounded in profile `reference`. */
  readonly begun: number | undefined;
  readonly attested: boolean;
}

export type SessionEvent =
  /** A message of the right shape. */
  | { readonly type: 'paseX' | 'paseVerify' | 'attestationReq' | 'csrReq' | 'certInstall' | 'close' | 'closeAck' }
  /** A frame that is no message of this dialect. */
  | { readonly type: 'malformed'; readonly text: string }
  /** The device's own work is done. */
  | { readonly type: 'shareReady' | 'verifierHolds' | 'csrReady' | 'installed' }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'deadline' | 'windowEnded' | 'yielded' | 'gone' };

/** A failure in the protocol's own terms; each dialect has its words for it (`answers.ts`). */
export type Failure =
  | { readonly status: Status; readonly text: string; readonly retryAfter?: number; readonly wrongKey?: boolean }
  /** A point that is malformed, off the curve or the identity (TC-PASE-4). */
  | { readonly status: 'badPoint'; readonly text: string };

export type SessionEffect =
  | 'begin'
  | 'answerY'
  | 'checkVerifier'
  | 'confirm'
  | 'attest'
  | 'makeCsr'
  | 'sendCsr'
  | 'install'
  | 'acknowledge'
  | 'acknowledgeClose'
  | 'end'
  | 'release'
  /** Answers in the dialect's words, then ends. */
  | { readonly fail: Failure; readonly during: StateName };

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export function startSession(profile: Profile, now: number): SessionState {
  return { name: 'PASE_WAIT_X', deadline: now + profile['commissioning.firstMessage'], begun: undefined, attested: false };
}

type Row = Partial<Record<SessionEvent['type'], (state: SessionState, now: number, profile: Profile) => Step>>;

const TABLE: Readonly<Record<Exclude<StateName, 'CLOSED'>, Row>> = {
  PASE_WAIT_X: {
    paseX: (state, now, profile) => go({ ...state, begun: now }, 'PASE_COMPUTE', now + profile['commissioning.compute'], profile, 'begin'),
  },
  PASE_COMPUTE: {
    shareReady: (state, now, profile) => go(state, 'PASE_WAIT_V', now + profile['commissioning.verifier'], profile, 'answerY'),
  },
  PASE_WAIT_V: {
    paseVerify: (state) => ({ state, effects: ['checkVerifier'] }),
    verifierHolds: (state, now, profile) => go(state, 'PASE_VERIFIED', now + profile['commissioning.csrRequest'], profile, 'confirm'),
    yielded: (state) => fail(state, { status: Status.TIMEOUT, text: 'no verifier in time, another controller is served' }),
  },
  PASE_VERIFIED: {
    attestationReq: (state, now, profile) =>
      state.attested
        ? fail(state, { status: Status.INVALID_FORMAT, text: 'attestation was requested already' })
        : go({ ...state, attested: true }, 'PASE_VERIFIED', now + profile['commissioning.csrRequest'], profile, 'attest'),
    csrReq: (state, now, profile) => go(state, 'CSR_GENERATE', now + profile['commissioning.csrGenerate'], profile, 'makeCsr'),
  },
  CSR_GENERATE: {
    csrReady: (state, now, profile) => go(state, 'CERT_WAIT', now + profile['commissioning.certificate'], profile, 'sendCsr'),
  },
  CERT_WAIT: {
    certInstall: (state, now, profile) => go(state, 'CERT_INSTALL', now + profile['commissioning.install'], profile, 'install'),
  },
  CERT_INSTALL: {
    installed: (state, now, profile) =>
      go({ ...state, begun: undefined }, 'COMPLETE', now + profile['session.close'], profile, 'release', 'acknowledge'),
  },
  COMPLETE: {
    close: (state) => closed(state, 'acknowledgeClose', 'end'),
    closeAck: (state) => closed(state, 'end'),
    deadline: (state) => closed(state, 'end'),
    // A reference controller writes one more frame before it sees the close: discarded, never an error (protocol.md §3).
    malformed: (state) => ({ state, effects: [] }),
    windowEnded: (state) => ({ state, effects: [] }),
  },
};

/** Events that mean the same in every state before COMPLETE. */
const ANYWHERE: Row = {
  deadline: (state) => fail(state, { status: Status.TIMEOUT, text: `${state.name} timed out` }),
  windowEnded: (state, _now, profile) =>
    // Profile `reference`: one under way at the window's end finishes.
    profile['commissioning.whole'] > 0 && state.begun !== undefined
      ? { state, effects: [] }
      : fail(state, { status: Status.TIMEOUT, text: 'the commissioning window has ended' }),
  close: (state) => closed(state, 'acknowledgeClose', 'release', 'end'),
};

export function nextSession(profile: Profile, state: SessionState, event: SessionEvent, now: number): Step {
  if (state.name === 'CLOSED') return { state, effects: [] };
  if (event.type === 'gone') return closed(state, 'release');
  if (event.type === 'refused') return fail(state, event.failure);
  const row = TABLE[state.name][event.type] ?? (state.name === 'COMPLETE' ? undefined : ANYWHERE[event.type]);
  if (row !== undefined) return row(state, now, profile);
  if (state.name === 'COMPLETE') return { state, effects: [] };
  const text = event.type === 'malformed' ? event.text : `${event.type} is not due in ${state.name}`;
  return fail(state, { status: Status.INVALID_FORMAT, text });
}

function go(state: SessionState, name: StateName, deadline: number, profile: Profile, ...effects: SessionEffect[]): Step {
  const whole = profile['commissioning.whole'];
  const bounded = whole > 0 && state.begun !== undefined ? Math.min(deadline, state.begun + whole) : deadline;
  return { state: { ...state, name, deadline: bounded }, effects };
}

function closed(state: SessionState, ...effects: SessionEffect[]): Step {
  return { state: { ...state, name: 'CLOSED', deadline: Number.POSITIVE_INFINITY }, effects };
}

// The lock is released before the answer leaves, so that the same controller may try again at once.
function fail(state: SessionState, failure: Failure): Step {
  return closed(state, 'release', { fail: failure, during: state.name });
}
