import type { Option } from 'commander';
import type { Log } from '../platform.js';
import type { TestControl } from '../test-control/test-control.js';

/** A production bundle has no test mode: no option, no feature, none of its code. */
export const TEST_OPTIONS: readonly Option[] = [];

export function testControl(_enableKey: string | undefined, _log: Log): TestControl | undefined {
  return undefined;
}
