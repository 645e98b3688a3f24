import path from 'node:path';
import { parseDeviceArguments } from '../../src/cli/device-arguments.js';

const NOWHERE = path.join(import.meta.dirname, 'no-state');

/** What `mash-device … pics` prints. */
export async function printedPics(...options: readonly string[]): Promise<string> {
  let printed = '';
  let failed = '';
  const parsed = parseDeviceArguments(
    ['--state', NOWHERE, 'pics', ...options],
    false,
    (text) => {
      printed += text;
    },
    (text) => {
      failed += text;
    },
  );
  if (parsed.kind !== 'command') throw new Error(`no command: ${failed}`);
  await parsed.run();
  return printed;
}
