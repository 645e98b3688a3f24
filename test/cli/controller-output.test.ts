import { describe, expect, it } from 'vitest';
import { failureOf, failureText } from '../../src/cli/controller-output.js';
import type { ControllerError } from '../../src/controller/errors.js';
import { authenticationFailed, connectionFailed, notFound, unreachable, withoutAddress } from '../../src/controller/not-found.js';

const others = [
  { kind: 'incomplete', instance: 'MASH-9', type: '_mash-comm._tcp', missing: 'address', txt: new Map([['D', '9']]), host: undefined },
] as const;

describe('a device that is not found (connection-establishment §7.5)', () => {
  it.each<[string, ControllerError, number, string, string]>([
    ['TC-NOTFOUND-1', notFound(7, { complete: [], incomplete: [] }), 3, 'Press the pairing button', 'look again'],
    ['TC-NOTFOUND-2', notFound(7, { complete: [], incomplete: others }), 3, 'Found devices with discriminators: 9', 'scan the QR code'],
    ['TC-NOTFOUND-3', withoutAddress(), 3, 'Check router/DHCP configuration', 'look again'],
    ['TC-NOTFOUND-4', connectionFailed(['[fd00::1]:8444: ECONNREFUSED']), 3, 'Firewall may be blocking', 'connect again'],
    ['a closed port', connectionFailed(['[fd00::1]:8444: ECONNREFUSED']), 3, 'press the pairing button', 'connect again'],
    ['TC-MULTIIF-5', unreachable(['a', 'a', 'b']), 3, 'Device unreachable (a; b)', 'connect again'],
    ['TC-MULTIIF-10', authenticationFailed(['a']), 4, 'Device authentication failed (a)', 'connect again'],
  ])('%s: message, suggestions, what to do next, and the same as JSON', (_id, error, exitCode, said, next) => {
    const failure = failureOf(error);
    expect(failure).toMatchObject({ exitCode, code: error.code, details: { retryAction: error.details.retryAction } });
    const text = failureText(failure);
    expect(text).toContain(error.message);
    expect(text).toContain(said);
    expect(text.split('\n').at(-1)).toContain(next);
    for (const suggestion of error.details.suggestions ?? []) expect(text).toContain(`  - ${suggestion}`);
  });
});
