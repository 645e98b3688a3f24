import { Command, CommanderError, Option } from 'commander';
import { ATTESTATION_POLICIES } from '../controller/attestation.js';
import { PERMISSIONS } from '../controller/token.js';
import { ZONE_KINDS } from '../controller/zone.js';
import { defaultZoneFolder } from '../controller/zone-store.js';
import { nodeLog } from '../node/log.js';
import { FIRMWARE_VERSION } from '../version.js';
import { ControllerCommands, type Machine, type Outcome } from './controller-commands.js';
import {
  addressArgument,
  type CommissionArguments,
  choiceArgument,
  type GlobalOptions,
  interfacesArgument,
  numberArgument,
  permissionsArgument,
  type TokenArguments,
} from './controller-options.js';
import { ExitCode, failureOf, failureText } from './controller-output.js';

/** Where a command line is run. */
export interface ControllerIo {
  /** The result. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine: () => Machine;
}

const EXAMPLES = `
Examples:
  mash-controller discover
  mash-controller commission "MASH:1:1234:70914386:0x1234:0x0001"
  mash-controller commission 70914386 --address "[fd00::2]:8444"
  mash-controller --dialect reference --zone-type grid --zone ./grid commission "MASH:1:1234:70914386"
  mash-controller read                            all of DeviceInfo of the only device
  mash-controller read 0/DeviceInfo/serialNumber  one attribute; numbers do as well: 0/1/4
  mash-controller token --out phone.token --days 7 --permissions commission,view
  mash-controller ping A66A8E4255CC3C8E --json
  mash-controller renew                           a new certificate for the only device

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 wrong code or not trusted.`;

/** Runs one command line of `mash-controller`; resolves with its exit code and never rejects. */
export async function main(argv: readonly string[], io: ControllerIo): Promise<number> {
  const json = argv.includes('--json');
  let work: ((commands: ControllerCommands) => Promise<Outcome>) | undefined;
  try {
    const program = describe(io, (chosen) => {
      work = chosen;
    });
    await program.parseAsync(argv, { from: 'user' });
    const options = program.opts<GlobalOptions>();
    if (work === undefined) return ExitCode.OK;
    const outcome = await run(options, io, work);
    if (json) io.out(`${JSON.stringify(outcome.value)}\n`);
    else if (outcome.text !== '') io.out(`${outcome.text}\n`);
    return ExitCode.OK;
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, json, io);
    const failure = failureOf(error);
    io.err(`${failureText(failure)}\n`);
    if (json) io.out(`${JSON.stringify({ error: { code: failure.code, message: failure.message, ...failure.details } })}\n`);
    return failure.exitCode;
  }
}

async function run(options: GlobalOptions, io: ControllerIo, work: (commands: ControllerCommands) => Promise<Outcome>): Promise<Outcome> {
  const write = (line: string): void => io.err(`${line}\n`);
  const log = nodeLog({ level: options.verbose === true ? 'debug' : 'warn', format: 'pretty', write });
  const commands = new ControllerCommands(io.machine(), options, log, write);
  try {
    return await work(commands);
  } finally {
    await commands.close();
  }
}

/** Commander has printed its message; --help and --version are no errors. */
function usage(error: CommanderError, json: boolean, io: ControllerIo): number {
  if (error.exitCode === 0) return ExitCode.OK;
  if (json) io.out(`${JSON.stringify({ error: { code: 'USAGE', message: error.message.replace(/^error: /, '') } })}\n`);
  return ExitCode.USAGE;
}

function describe(io: ControllerIo, choose: (work: (commands: ControllerCommands) => Promise<Outcome>) => void): Command {
  const program = new Command('mash-controller')
    .description('Reference controller of MASH: owns a zone, commissions devices into it, and reads them.')
    .version(FIRMWARE_VERSION)
    .addOption(
      new Option('--zone <folder>', 'folder of the zone: its keys, certificates and devices').default(
        defaultZoneFolder(io.env),
        '$XDG_STATE_HOME/mash-controller, ~/.local/state/mash-controller',
      ),
    )
    .addOption(choice('--zone-type', 'type', 'type of a new zone (default: home)', Object.keys(ZONE_KINDS)))
    .option('--zone-name <text>', 'name of a new zone, up to 48 bytes (default: Home Energy)')
    .option('--priority <number>', 'priority of a new zone, 1 (highest) to 4 (default: by its type)', numberArgument('--priority', 1, 4))
    .addOption(choice('--dialect', 'name', 'dialect of a commissioning', ['draft', 'reference']).default('draft'))
    .option('--interface <name>', 'network interface for multicast; repeat, or separate with commas', interfacesArgument)
    .option('--json', 'print one JSON value on stdout, also for errors')
    .option('--verbose', 'log what happens on stderr')
    .addHelpText('after', EXAMPLES);
  program
    .command('discover')
    .description('list the devices whose commissioning window is open')
    .option('--discriminator <number>', 'only that one', numberArgument('--discriminator', 0, 4095))
    .action((options: { discriminator?: number }) => choose((commands) => commands.discover(options.discriminator)));
  program
    .command('commission')
    .description('add a device to the zone (which is created at its first use) and print its DeviceInfo')
    .argument('<qr-or-code>', "the QR code's text (4 or 6 fields), or the eight digits alone")
    .option('--discriminator <number>', 'of the device, beside the eight digits', numberArgument('--discriminator', 0, 4095))
    .option('--address <host:port>', 'where the device is; nothing is looked for then', addressArgument)
    .option('--operational-port <number>', 'beside --address, where it is not 8443', numberArgument('--operational-port', 1, 65_535))
    .addOption(choice('--attestation', 'policy', "what to ask of the device's attestation (default: accept)", ATTESTATION_POLICIES))
    .option('--attestation-ca <file>', 'manufacturer CAs (PEM, or one as DER) that its chain must end at')
    .option('--admin-token <file>', "token of the zone's owner to send along")
    .action((text: string, options: CommissionArguments) => choose((commands) => commands.commission(text, options)));
  program
    .command('token')
    .description("issue an admin token of the zone: an admin's licence, which devices verify")
    .requiredOption('--out <file>', 'where to write it (CBOR)')
    .option('--days <number>', 'how long it holds', numberArgument('--days', 1, 3650), 30)
    .option('--permissions <names>', `of ${Object.keys(PERMISSIONS).join(', ')}; with commas`, permissionsArgument, ['commission'] as const)
    .action((options: TokenArguments) => choose((commands) => commands.token(options)));
  program
    .command('zones')
    .description('show the zone of the folder')
    .action(() => choose((commands) => commands.zones()));
  program
    .command('devices')
    .description('list the devices of the zone')
    .action(() => choose((commands) => commands.devices()));
  program
    .command('read')
    .description('read attributes of a device, by names or numbers (default: 0/DeviceInfo)')
    .argument('[device]', 'id (or its first digits), serial number or name; may be left out where the zone has one device')
    .argument('[path]', 'ENDPOINT/FEATURE[/ATTRIBUTE]')
    .action((first?: string, second?: string) => choose((commands) => commands.read(first, second)));
  program
    .command('ping')
    .description('measure how fast a device answers')
    .argument('[device]', 'as with read')
    .action((device?: string) => choose((commands) => commands.ping(device)));
  program
    .command('renew')
    .description('give a device a new certificate, one year from now, over its connection')
    .argument('[device]', 'as with read')
    .action((device?: string) => choose((commands) => commands.renew(device)));
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .allowExcessArguments(false)
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  }
  return program;
}

/** Shows its choices in the help, and names the closest one for a word that is none. */
function choice(flag: string, value: string, text: string, choices: readonly string[]): Option {
  return new Option(`${flag} <${value}>`, text).choices(choices).argParser(choiceArgument(flag, choices));
}
