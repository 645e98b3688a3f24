/** The device does otherwise than the case wants. */
export class Refuted extends Error {
  override readonly name = 'Refuted';
}

/** The case says nothing about this device, or cannot be tried here. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** Of a case. */
export type Verdict = 'pass' | 'fail' | 'skip';

/** Nothing of the run can be done without it. */
export class SetupFailed extends Error {
  override readonly name = 'SetupFailed';
}
