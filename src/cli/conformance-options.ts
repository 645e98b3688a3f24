import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { ConformanceCase } from '../conformance/case.js';
import { CASES } from '../conformance/cases/index.js';
import type { ProfileName } from '../conformance/claims.js';
import { REPORT_FORMATS, type ReportFormat } from '../conformance/report.js';
import { lacksScope, parseTarget } from '../controller/addresses.js';
import type { DeviceAddress } from '../controller/zone.js';
import { parseQr } from '../crypto/qr.js';
import { parseSetupCode, type SetupCode } from '../crypto/setup-code.js';
import type { DialectName } from '../dialect/messages.js';
import { ConfigError } from '../errors.js';
import { checkChoice } from '../node/interface-choice.js';
import { parseEnableKey } from '../test-control/enable-key.js';
import { FIRMWARE_VERSION } from '../version.js';

export interface ConformanceArguments {
  readonly target: DeviceAddress;
  readonly commissioningPort: number | undefined;
  readonly code: SetupCode;
  readonly discriminator: number | undefined;
  readonly dialects: readonly DialectName[];
  readonly profile: ProfileName;
  /** Path of a file. */
  readonly pics: string | undefined;
  readonly enableKey: string | undefined;
  readonly cases: readonly ConformanceCase[];
  readonly long: boolean;
  readonly format: ReportFormat;
  /** Path of a file. */
  readonly out: string | undefined;
  readonly interfaces: readonly string[] | undefined;
  readonly deniedInterfaces: readonly string[] | undefined;
  /** Run by the shell. */
  readonly openCommand: string | undefined;
  readonly restartCommand: string | undefined;
}

export type ParsedConformance =
  | { readonly kind: 'run'; readonly options: ConformanceArguments }
  | { readonly kind: 'list'; readonly cases: readonly ConformanceCase[]; readonly format: ReportFormat }
  | { readonly kind: 'exit'; readonly code: number };

const EXAMPLES = `
The device is taken as it answers at its address. What it claims comes from --pics; without it everything is tried, with the numbers of --profile.
Cases that need the commissioning window open it by TestControl (--enable-key), by --open-command, or find it open; else they are skipped.

Examples:
  mash-conformance --target [fe80::1%eth0]:8443 --setup-code 20220211 --enable-key 0123456789abcdef0123456789abcdef
  mash-conformance --target 10.0.0.7:8443 --setup-code MASH:1:1234:20220211 --profile reference --dialect reference
  mash-conformance --target [::1]:8443 --setup-code 20220211 --pics device.pics --filter TC-PASE --format junit --out report.xml
  mash-conformance --list --filter TC-CERT

Exit code: 0 all passed or skipped, 1 a case failed, 2 wrong arguments, 3 the device cannot be tested as asked.
`;

/** Parses the command line of `mash-conformance`; usage errors are printed and give exit code 2. */
export function parseConformanceArguments(
  argv: readonly string[],
  print: (text: string) => void,
  fail: (text: string) => void,
): ParsedConformance {
  const command = new Command('mash-conformance')
    .description("Runs the specification's test cases against a device of MASH, as a black box.")
    .version(FIRMWARE_VERSION)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: fail })
    .option('--target <address>', 'host:port or [IPv6]:port of the device')
    .option('--commissioning-port <number>', 'its commissioning port, where it has one of its own', wholeNumber(65_535))
    .option('--setup-code <text>', "eight digits, or the QR code's text")
    .option('--discriminator <number>', '0…4095 (default: as its certificate has it)', wholeNumber(4095))
    .addOption(new Option('--dialect <name>', 'dialects to speak').choices(['draft', 'reference', 'both']).default('both'))
    .addOption(new Option('--profile <name>', 'numbers expected where no PICS says them').choices(['draft', 'reference']).default('draft'))
    .option('--pics <file>', 'what the device claims: CODE=value, one a line')
    .option('--enable-key <digits>', 'of TestControl: opens the window, resets and observes')
    .option('--open-command <command>', 'opens the commissioning window: presses the button')
    .option('--restart-command <command>', 'restarts the device, and returns when it has started')
    .option('--filter <ids...>', 'cases whose id begins so')
    .option('--list', 'prints the cases, and runs none', false)
    .option('--long', 'also cases that wait longer than 15 s', false)
    .addOption(new Option('--format <name>', 'of the report').choices([...REPORT_FORMATS]).default('text'))
    .option('--out <file>', 'writes the report there; progress goes to the terminal')
    .option('--interface <names...>', 'network interfaces for multicast: eth0, eth*, kind:wireless')
    .option('--deny-interface <names...>', 'never these, in the same form')
    .addHelpText('after', EXAMPLES)
    .action(() => undefined);
  try {
    command.parse([...argv], { from: 'user' });
    const raw = command.opts<Raw>();
    const cases = chosen(raw.filter);
    return raw.list ? { kind: 'list', cases, format: raw.format } : { kind: 'run', options: checked(raw, cases) };
  } catch (error) {
    if (error instanceof CommanderError) return { kind: 'exit', code: error.exitCode === 0 ? 0 : 2 };
    if (!(error instanceof ConfigError)) throw error;
    fail(`error: ${error.message}\n`);
    return { kind: 'exit', code: 2 };
  }
}

interface Raw {
  readonly target?: string;
  readonly commissioningPort?: number;
  readonly setupCode?: string;
  readonly discriminator?: number;
  readonly dialect: DialectName | 'both';
  readonly profile: ProfileName;
  readonly pics?: string;
  readonly enableKey?: string;
  readonly openCommand?: string;
  readonly restartCommand?: string;
  readonly filter?: readonly string[];
  readonly list: boolean;
  readonly long: boolean;
  readonly format: ReportFormat;
  readonly out?: string;
  readonly interface?: readonly string[];
  readonly denyInterface?: readonly string[];
}

function chosen(filter: readonly string[] | undefined): readonly ConformanceCase[] {
  if (filter === undefined) return CASES;
  const unused = filter.find((prefix) => !CASES.some(({ id }) => id.startsWith(prefix)));
  if (unused !== undefined) throw new ConfigError('--filter', `no case begins with '${unused}'; --list prints all`);
  return CASES.filter(({ id }) => filter.some((prefix) => id.startsWith(prefix)));
}

function checked(raw: Raw, cases: readonly ConformanceCase[]): ConformanceArguments {
  if (raw.target === undefined) throw new ConfigError('--target', 'an address is due: host:port');
  const target = parseTarget(raw.target);
  if (target === undefined) throw new ConfigError('--target', `'${raw.target}' is no address; host:port or [IPv6]:port is due`);
  if (lacksScope(target)) throw new ConfigError('--target', 'a link-local address needs its interface: [fe80::1%eth0]:8443');
  if (raw.setupCode === undefined) throw new ConfigError('--setup-code', "the device's setup code is due");
  const label = raw.setupCode.includes(':')
    ? parseQr(raw.setupCode)
    : { code: parseSetupCode(raw.setupCode, { allowTrivial: true }, '--setup-code') };
  if (raw.enableKey !== undefined) parseEnableKey(raw.enableKey, '--enable-key');
  checkChoice({ allow: raw.interface, deny: raw.denyInterface });
  return {
    target,
    commissioningPort: raw.commissioningPort,
    code: label.code,
    discriminator: raw.discriminator ?? ('discriminator' in label ? label.discriminator : undefined),
    dialects: raw.dialect === 'both' ? ['draft', 'reference'] : [raw.dialect],
    profile: raw.profile,
    pics: raw.pics,
    enableKey: raw.enableKey,
    cases,
    long: raw.long,
    format: raw.format,
    out: raw.out,
    interfaces: raw.interface,
    deniedInterfaces: raw.denyInterface,
    openCommand: raw.openCommand,
    restartCommand: raw.restartCommand,
  };
}

function wholeNumber(maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value) || value > maximum) throw new InvalidArgumentError(`A whole number of 0…${maximum} is due.`);
    return value;
  };
}
