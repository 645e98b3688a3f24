import { describe, expect, it } from 'vitest';
import {
  type Failure,
  nextSession,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  type StateName,
  type Step,
  startSession,
} from '../../src/commissioning/session-states.js';
import { Status } from '../../src/dialect/messages.js';
import { makeProfile, type Profile } from '../../src/profile.js';

const DRAFT = makeProfile('draft');
const REFERENCE = makeProfile('reference');
const REFUSAL: Failure = { status: Status.INVALID_CERT, text: 'why' };
const STATES = [
  'PASE_WAIT_X',
  'PASE_COMPUTE',
  'PASE_WAIT_V',
  'PASE_VERIFIED',
  'CSR_GENERATE',
  'CERT_WAIT',
  'CERT_INSTALL',
  'COMPLETE',
  'CLOSED',
] as const;
const NOW = 1000;

/**
 * State × event, in the order of STATES (commissioning-pase §3.3; protocol.md §2.7–2.10, §2.13). In words:
 *   8 refused: not due here      2 time is over       F the failure of the event      . nothing happens
 *   C close, acknowledged        E ends               G gone, the lock is released    anything else: a documented transition
 */
const MATRIX: Readonly<Record<SessionEvent['type'], string>> = {
  //               WAIT_X   COMPUTE  WAIT_V   VERIFIED CSR_GEN  CERT_W   INSTALL  COMPLETE CLOSED
  paseX: '         begin    8        8        8        8        8        8        .        .',
  shareReady: '    8        answerY  8        8        8        8        8        .        .',
  paseVerify: '    8        8        check    8        8        8        8        .        .',
  verifierHolds: ' 8        8        confirm  8        8        8        8        .        .',
  attestationReq: '8        8        8        attest   8        8        8        .        .',
  csrReq: '        8        8        8        makeCsr  8        8        8        .        .',
  csrReady: '      8        8        8        8        sendCsr  8        8        .        .',
  certInstall: '   8        8        8        8        8        install  8        .        .',
  installed: '     8        8        8        8        8        8        done     .        .',
  refused: '       F        F        F        F        F        F        F        F        .',
  malformed: '     8        8        8        8        8        8        8        .        .',
  deadline: '      2        2        2        2        2        2        2        E        .',
  windowEnded: '   2        2        2        2        2        2        2        .        .',
  yielded: '       8        8        2        8        8        8        8        .        .',
  close: '         C        C        C        C        C        C        C        CE       .',
  closeAck: '      8        8        8        8        8        8        8        E        .',
  gone: '          G        G        G        G        G        G        G        G        .',
};

/** The documented transitions: the state they lead to and the effects. */
const TRANSITIONS: Readonly<Record<string, { readonly to: StateName; readonly effects: readonly SessionEffect[] }>> = {
  begin: { to: 'PASE_COMPUTE', effects: ['begin'] },
  answerY: { to: 'PASE_WAIT_V', effects: ['answerY'] },
  check: { to: 'PASE_WAIT_V', effects: ['checkVerifier'] },
  confirm: { to: 'PASE_VERIFIED', effects: ['confirm'] },
  attest: { to: 'PASE_VERIFIED', effects: ['attest'] },
  makeCsr: { to: 'CSR_GENERATE', effects: ['makeCsr'] },
  sendCsr: { to: 'CERT_WAIT', effects: ['sendCsr'] },
  install: { to: 'CERT_INSTALL', effects: ['install'] },
  done: { to: 'COMPLETE', effects: ['release', 'acknowledge'] },
};

function at(name: StateName, more: Partial<SessionState> = {}): SessionState {
  return { name, deadline: 50_000, begun: name === 'PASE_WAIT_X' || name === 'COMPLETE' ? undefined : 500, attested: false, ...more };
}

function eventOf(type: SessionEvent['type']): SessionEvent {
  if (type === 'malformed') return { type, text: 'malformed here' };
  return type === 'refused' ? { type, failure: REFUSAL } : { type };
}

/** What a cell of the matrix says about a step. */
function check(cell: string, before: SessionState, event: SessionEvent, step: Step): void {
  const over = (effects: readonly unknown[]): void => {
    expect(step.state).toEqual({ ...before, name: 'CLOSED', deadline: Number.POSITIVE_INFINITY });
    expect(step.effects).toEqual(effects);
  };
  const failed = (status: Status, text: unknown): void => over(['release', { fail: { status, text }, during: before.name }]);
  switch (cell) {
    case '.':
      expect(step).toEqual({ state: before, effects: [] });
      return;
    case '8':
      failed(Status.INVALID_FORMAT, event.type === 'malformed' ? 'malformed here' : `${event.type} is not due in ${before.name}`);
      return;
    case '2':
      failed(Status.TIMEOUT, expect.any(String));
      return;
    case 'F':
      over(['release', { fail: REFUSAL, during: before.name }]);
      return;
    case 'C':
      over(['acknowledgeClose', 'release', 'end']);
      return;
    case 'CE':
      over(['acknowledgeClose', 'end']);
      return;
    case 'E':
      over(['end']);
      return;
    case 'G':
      over(['release']);
      return;
    default:
      expect({ to: step.state.name, effects: step.effects }).toEqual(TRANSITIONS[cell]);
  }
}

describe.each(Object.entries(MATRIX))('%s', (type, row) => {
  const cells = row.trim().split(/\s+/);

  it.each(STATES.map((name, column) => [name, cells[column] ?? ''] as const))('in %s: %s', (name, cell) => {
    expect(cells).toHaveLength(STATES.length);
    const before = at(name);
    const event = eventOf(type as SessionEvent['type']);
    check(cell, before, event, nextSession(DRAFT, before, event, NOW));
  });
});

describe('attestation', () => {
  it('is asked for once; PASE_VERIFIED begins anew with it', () => {
    const first = nextSession(DRAFT, at('PASE_VERIFIED'), { type: 'attestationReq' }, NOW).state;
    expect(first).toMatchObject({ name: 'PASE_VERIFIED', attested: true, deadline: NOW + 10_000 });
    const second = nextSession(DRAFT, first, { type: 'attestationReq' }, NOW);
    expect(second.effects).toEqual([
      'release',
      { fail: { status: Status.INVALID_FORMAT, text: expect.any(String) }, during: 'PASE_VERIFIED' },
    ]);
    expect(nextSession(DRAFT, first, { type: 'csrReq' }, NOW).state.name).toBe('CSR_GENERATE');
  });
});

/** The path of a commissioning, with what leads on from each state. */
const PATH: readonly (readonly [StateName, SessionEvent['type'] | undefined])[] = [
  ['PASE_WAIT_X', 'paseX'],
  ['PASE_COMPUTE', 'shareReady'],
  ['PASE_WAIT_V', 'verifierHolds'],
  ['PASE_VERIFIED', 'csrReq'],
  ['CSR_GENERATE', 'csrReady'],
  ['CERT_WAIT', 'certInstall'],
  ['CERT_INSTALL', 'installed'],
  ['COMPLETE', undefined],
];

/** How long each state lasts when every event comes after `step` milliseconds. */
function limits(profile: Profile, step: number): Record<string, number> {
  let now = 0;
  let state = startSession(profile, now);
  const lasts: Record<string, number> = {};
  for (const [name, event] of PATH) {
    expect(state.name).toBe(name);
    lasts[name] = state.deadline - now;
    if (event === undefined) break;
    now += step;
    state = nextSession(profile, state, { type: event } as SessionEvent, now).state;
  }
  return lasts;
}

describe('time-outs', () => {
  it('draft: those of commissioning-pase §3.2, and CSR_REQ within 10 s (protocol.md)', () => {
    expect(limits(DRAFT, 1)).toEqual({
      PASE_WAIT_X: 30_000,
      PASE_COMPUTE: 10_000,
      PASE_WAIT_V: 30_000,
      PASE_VERIFIED: 10_000,
      CSR_GENERATE: 10_000,
      CERT_WAIT: 30_000,
      CERT_INSTALL: 5000,
      COMPLETE: 5000,
    });
  });

  it('reference: the first message within 5 s, CSR_REQ within 5 s', () => {
    expect(limits(REFERENCE, 1)).toMatchObject({
      PASE_WAIT_X: 5000,
      PASE_WAIT_V: 30_000,
      PASE_VERIFIED: 5000,
      CERT_WAIT: 30_000,
      CERT_INSTALL: 5000,
      COMPLETE: 5000,
    });
  });

  it('each names its state', () => {
    for (const name of STATES.slice(0, 7)) {
      const { effects } = nextSession(DRAFT, at(name), { type: 'deadline' }, 50_000);
      expect(effects).toContainEqual({ fail: { status: Status.TIMEOUT, text: `${name} timed out` }, during: name });
    }
  });

  it('reference: the whole ends 85 s after the first message, however slow each step is', () => {
    // Every step at the last moment: 20 + 30 + 5 + 10 = 65 s, and CERT_WAIT has 20 s left instead of 30.
    let now = 3000;
    let state = nextSession(REFERENCE, startSession(REFERENCE, 0), { type: 'paseX' }, now).state;
    for (const [name, event] of PATH.slice(1, 5)) {
      expect(state.name).toBe(name);
      now = state.deadline;
      state = nextSession(REFERENCE, state, { type: event } as SessionEvent, now).state;
    }
    expect(now).toBe(3000 + 65_000);
    expect(state).toMatchObject({ name: 'CERT_WAIT', deadline: 3000 + 85_000 });
    state = nextSession(REFERENCE, state, { type: 'certInstall' }, 87_000).state;
    expect(state).toMatchObject({ name: 'CERT_INSTALL', deadline: 88_000 });
    // What is installed in time has its time to be closed.
    state = nextSession(REFERENCE, state, { type: 'installed' }, 87_500).state;
    expect(state).toMatchObject({ name: 'COMPLETE', deadline: 92_500 });
  });

  it('draft: no bound of its own, the window is one', () => {
    let state = nextSession(DRAFT, startSession(DRAFT, 0), { type: 'paseX' }, 29_999).state;
    state = nextSession(DRAFT, state, { type: 'shareReady' }, 39_999).state;
    state = nextSession(DRAFT, state, { type: 'verifierHolds' }, 69_999).state;
    state = nextSession(DRAFT, state, { type: 'csrReq' }, 79_999).state;
    state = nextSession(DRAFT, state, { type: 'csrReady' }, 89_999).state;
    expect(state).toMatchObject({ name: 'CERT_WAIT', deadline: 119_999 });
    expect(nextSession(DRAFT, state, { type: 'windowEnded' }, 100_000).effects).toContainEqual({
      fail: { status: Status.TIMEOUT, text: 'the commissioning window has ended' },
      during: 'CERT_WAIT',
    });
  });
});

describe('reference: at the end of the window', () => {
  it.each(STATES.slice(1, 7))('a commissioning in %s finishes', (name) => {
    const before = at(name);
    expect(nextSession(REFERENCE, before, { type: 'windowEnded' }, NOW)).toEqual({ state: before, effects: [] });
  });

  it('a connection that has not said anything ends', () => {
    expect(nextSession(REFERENCE, at('PASE_WAIT_X'), { type: 'windowEnded' }, NOW).state.name).toBe('CLOSED');
  });
});
