import { Command, CommanderError, Option } from 'commander';
import { ZONE_KINDS } from '../controller/zone.js';
import { defaultZoneFolder } from '../controller/zone-store.js';
import { nodeLog } from '../node/log.js';
import { FIRMWARE_VERSION } from '../version.js';
import { describeAdmin } from './commands/admin.js';
import { describeCommissioning } from './commands/commissioning.js';
import { describeEnergy } from './commands/energy.js';
import { describeInteraction } from './commands/interaction.js';
import { describeMembership } from './commands/membership.js';
import { describePics } from './commands/pics.js';
import { describeReading } from './commands/reading.js';
import { describeSubscribe } from './commands/subscribe.js';
import { describeZone } from './commands/zone.js';
import { type Choose, ControllerContext, type ControllerIo, type Outcome, type Work } from './controller-context.js';
import { choice, type GlobalOptions, interfacesArgument, numberArgument } from './controller-options.js';
import { ExitCode, failureOf, failureText } from './controller-output.js';
import { meterArgument } from './exposed-meter.js';
import { visible } from './visible.js';

/** The commands by topic, in the order of the help. Each adds its own to the program. */
const TOPICS: readonly ((program: Command, choose: Choose) => void)[] = [
  describeCommissioning,
  describeAdmin,
  describeZone,
  describeReading,
  describeEnergy,
  describeInteraction,
  describeMembership,
  describeSubscribe,
  describePics,
];

export type { ControllerIo } from './controller-context.js';

const EXAMPLES = `
Examples:
  mash-controller discover
  mash-controller commission "MASH:1:1234:70914386:0x1234:0x0001"
  mash-controller commission 70914386 --address "[fd00::2]:8444"
  mash-controller --dialect reference --zone-type grid --zone ./grid commission "MASH:1:1234:70914386"
  mash-controller read                            all of DeviceInfo of the only device
  mash-controller read 0/DeviceInfo/serialNumber  one attribute; numbers do as well: 0/1/4
  mash-controller limit 4.2                       at most 4.2 kW, until it is cleared
  mash-controller limit 4.2 --duration 900 --cause GRID_EMERGENCY
  mash-controller subscribe EnergyControl Measurement/acActivePower --follow
  mash-controller invoke EnergyControl/setCurrentLimits 'phases={"A":10000}' direction=CONSUMPTION cause=LOCAL_PROTECTION
  mash-controller write 0/DeviceInfo/label "Garage"
  mash-controller failsafe --limit 4.2 --duration 14400
  mash-controller --expose-meter -6.9,0,2.07 subscribe 1/Measurement --follow
  mash-controller admin open                      the owner shows a code for an app
  mash-controller --zone ./phone admin join "MASH:1:77:55512345"
  mash-controller token --out phone.token --days 7 --permissions commission,view
  mash-controller ping A66A8E4255CC3C8E --json
  mash-controller renew                           a new certificate for the only device

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 wrong code or not trusted.`;

/** Runs one command line of `mash-controller`; resolves with its exit code and never rejects. */
export async function main(argv: readonly string[], terminal: ControllerIo): Promise<number> {
  const lines = (write: (text: string) => void) => (text: string) => write(text.split('\n').map(visible).join('\n'));
  const io: ControllerIo = { ...terminal, out: lines(terminal.out), err: lines(terminal.err) };
  const json = argv.includes('--json');
  let work: Work | undefined;
  try {
    const program = describe(io, (chosen) => {
      work = chosen;
    });
    await program.parseAsync(argv, { from: 'user' });
    const options = program.opts<GlobalOptions>();
    if (work === undefined) return ExitCode.OK;
    const outcome = await run(options, io, work);
    if (outcome === undefined) return ExitCode.OK;
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

async function run(options: GlobalOptions, io: ControllerIo, work: Work): Promise<Outcome | undefined> {
  const write = (line: string): void => io.err(`${line}\n`);
  const log = nodeLog({ level: options.verbose === true ? 'debug' : 'warn', format: 'pretty', write });
  const context = new ControllerContext(io, options, log);
  try {
    return await work(context);
  } finally {
    await context.close();
  }
}

/** Commander has printed its message; --help and --version are no errors. */
function usage(error: CommanderError, json: boolean, io: ControllerIo): number {
  if (error.exitCode === 0) return ExitCode.OK;
  if (json) io.out(`${JSON.stringify({ error: { code: 'USAGE', message: error.message.replace(/^error: /, '') } })}\n`);
  return ExitCode.USAGE;
}

function describe(io: ControllerIo, choose: Choose): Command {
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
    .option(
      '--interface <names>',
      'interfaces for multicast: eth0, eth*, kind:wireless; repeat, or separate with commas',
      interfacesArgument('--interface'),
    )
    .option('--deny-interface <names>', 'never these, in the same form', interfacesArgument('--deny-interface'))
    .option(
      '--expose-meter <kilowatts>',
      'let devices read a simulated grid meter meanwhile: + drawn, - fed in; several with commas, 10 s each',
      meterArgument,
    )
    .option('--json', 'print one JSON value on stdout, also for errors')
    .option('--verbose', 'log what happens on stderr')
    .addHelpText('after', EXAMPLES);
  for (const topic of TOPICS) topic(program, choose);
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .allowExcessArguments(false)
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  }
  return program;
}
