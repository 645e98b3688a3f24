import { Option } from 'commander';
import { nodeCrypto } from '../node/crypto.js';
import type { Log } from '../platform.js';
import { parseEnableKey } from '../test-control/enable-key.js';
import { TestControl } from '../test-control/test-control.js';

/** Options of test builds; a production bundle has `test-mode-absent.ts` in this place (`rollup.config.mjs`). */
export const TEST_OPTIONS: readonly Option[] = [
  new Option('--enable-key <digits>', 'TEST MODE: 32 hexadecimal digits with which a TEST zone may command this device'),
];

/** TestControl where a key was given. Throws ConfigError for one that is none. */
export function testControl(enableKey: string | undefined, log: Log): TestControl | undefined {
  if (enableKey === undefined) return undefined;
  const key = parseEnableKey(enableKey, '--enable-key');
  log.warn('TEST MODE: a TEST zone that knows the enable key commands this device; never for use in the field');
  return new TestControl({ enableKey: key, crypto: nodeCrypto(), log: log.scoped('test') });
}
