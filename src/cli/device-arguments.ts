import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { boards } from '../../boards/index.js';
import { DISCRIMINATOR_MAXIMUM, parseSetupCode, type SetupCode } from '../crypto/setup-code.js';
import { ConfigError } from '../errors.js';
import type { BoardDefinition } from '../model/board.js';
import { checkChoice } from '../node/interface-choice.js';
import { LOG_LEVELS } from '../node/log.js';
import type { LogLevel } from '../platform.js';
import { makeProfile, type Profile, type ProfileName } from '../profile.js';
import { FIRMWARE_VERSION } from '../version.js';
import { logCommand } from './log-command.js';
import { picsCommand } from './pics-command.js';
import { settingsCommand } from './settings-command.js';
import { TEST_OPTIONS } from './test-mode.js';

export interface DeviceArguments {
  readonly board: BoardDefinition;
  readonly profile: Profile;
  readonly state: string;
  readonly port: number;
  readonly commissioningPort: number;
  readonly setupCode: SetupCode | undefined;
  readonly discriminator: number | undefined;
  readonly openWindow: boolean;
  readonly freezeMeters: boolean;
  readonly interfaces: readonly string[] | undefined;
  readonly deniedInterfaces: readonly string[] | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: 'pretty' | 'json';
  /** Where every frame, state change and record is written. */
  readonly protocolLog: string | undefined;
  /** Where the keys of every connection are written, for Wireshark. */
  readonly tlsKeyLog: string | undefined;
  /** Test builds alone. */
  readonly enableKey: string | undefined;
}

/** What the command line came to: arguments, or a text to print and the exit code. */
export type ParsedDevice =
  | { readonly kind: 'run'; readonly options: DeviceArguments }
  /** A command that runs no device. */
  | { readonly kind: 'command'; readonly run: () => Promise<void> }
  | { readonly kind: 'exit'; readonly code: number };

const EXAMPLES = `
Examples:
  mash-device                                   simulated EV charger, everything kept in ./.state/sim-evse
  mash-device --board sim-heat-pump              simulated heat pump, everything kept in ./.state/sim-heat-pump
  mash-device --profile reference --port 9443   the numbers of the Go reference, another port
  mash-device --interface eth0 --open-window    one network interface, commissioning window open at once
  mash-device --set commissioning.window=60000  one value of the profile, times in milliseconds
  mash-device --protocol-log run.mlog           writes down every frame, state change and record
  mash-device log view run.mlog                 reads it
  mash-device settings                          lists what --set can set
  mash-device pics --profile reference          prints the PICS of this configuration
  mash-device --state ./second --port 9443 --commissioning-port 9444   a second device on this machine
  kill -USR1 PID                                presses the simulated button, -USR2 presses it long
`;

/** Parses the command line of `mash-device`; usage errors are printed with the closest right word and give exit code 2. */
export function parseDeviceArguments(
  argv: readonly string[],
  isTerminal: boolean,
  print: (text: string) => void,
  fail: (text: string) => void,
): ParsedDevice {
  let run: (() => Promise<void>) | undefined;
  const command = new Command('mash-device')
    .description('The device side of MASH: runs a board of this firmware.')
    .version(FIRMWARE_VERSION)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: fail })
    .addOption(new Option('--board <name>', 'board to run').choices([...boards.keys()]).default('sim-evse'))
    .addOption(
      new Option('--profile <name>', 'numbers of the draft or of the Go reference').choices(['draft', 'reference']).default('draft'),
    )
    .option('--state <folder>', 'folder of the journal (default: ./.state/<board>)')
    .option('--port <number>', 'operational port', port, 8443)
    .option('--commissioning-port <number>', 'commissioning port, open while the window is', port, 8444)
    .option('--setup-code <digits>', 'eight digits; generated once and kept where not given')
    .option('--discriminator <number>', '0…4095; generated once and kept where not given', discriminator)
    .option('--open-window', 'opens the commissioning window at start', false)
    .option('--freeze-meters', 'simulated meters read exact values', false)
    .option(
      '--interface <names...>',
      'network interfaces: eth0, eth*, kind:wireless; repeat, or separate with commas or spaces (default: all but containers, VMs and tunnels)',
      names,
    )
    .option('--deny-interface <names...>', 'never these, in the same form', names)
    .option('--set <key=value...>', "overrides values of the profile ('mash-device settings' lists them)")
    .addOption(new Option('--log-level <level>', 'what is logged').choices([...LOG_LEVELS]).default('info'))
    .addOption(
      new Option('--log-format <format>', 'how it is logged (default: pretty on a terminal, json elsewhere)').choices(['pretty', 'json']),
    )
    .option('--protocol-log <file>', 'writes every frame, state change and record there, secrets masked')
    .option('--tls-key-log <file>', 'writes the keys of every connection there: whoever reads it reads the traffic')
    .addHelpText('after', EXAMPLES)
    .argument('[command]')
    .action((word: string | undefined) => {
      if (word !== undefined)
        command.error(`error: unknown command '${word}'; there are ${command.commands.map((each) => each.name()).join(', ')}`);
    });
  command.usage('[options] [command]');
  for (const option of TEST_OPTIONS) command.addOption(option);
  const choose = (work: () => Promise<void>): void => {
    run = work;
  };
  adopt(command, logCommand(choose, print, fail));
  adopt(
    command,
    settingsCommand(choose, print, () => checked(command.opts(), isTerminal).profile),
  );
  adopt(
    command,
    picsCommand(choose, print, fail, () => checked(command.opts(), isTerminal)),
  );
  try {
    command.parse([...argv], { from: 'user' });
    if (run !== undefined) return { kind: 'command', run };
    checkSwallowed(
      command.opts(),
      command.commands.map((each) => each.name()),
    );
    return { kind: 'run', options: checked(command.opts(), isTerminal) };
  } catch (error) {
    if (error instanceof CommanderError) return { kind: 'exit', code: error.exitCode === 0 ? 0 : 2 };
    if (!(error instanceof ConfigError)) throw error;
    fail(`error: ${error.message}\n`);
    return { kind: 'exit', code: 2 };
  }
}

/** Adds a command; it and its own fail like the program. */
function adopt(program: Command, command: Command): void {
  for (const each of [command, ...command.commands]) each.copyInheritedSettings(program);
  program.addCommand(command);
}

/** `--set a=b pics`: an option that takes several words has taken the command for one of them. */
function checkSwallowed({ interface: allow = [], denyInterface: deny = [], set = [] }: Raw, commands: readonly string[]): void {
  const swallowed = [...allow, ...deny, ...set].find((word) => commands.includes(word));
  if (swallowed !== undefined)
    throw new ConfigError(swallowed, `a command stands before an option that takes several words: mash-device ${swallowed} --set …`);
}

interface Raw {
  readonly board: string;
  readonly profile: ProfileName;
  readonly state?: string;
  readonly port: number;
  readonly commissioningPort: number;
  readonly setupCode?: string;
  readonly discriminator?: number;
  readonly openWindow: boolean;
  readonly freezeMeters: boolean;
  readonly interface?: readonly string[];
  readonly denyInterface?: readonly string[];
  readonly set?: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFormat?: 'pretty' | 'json';
  readonly protocolLog?: string;
  readonly tlsKeyLog?: string;
  readonly enableKey?: string;
}

function checked(raw: Raw, isTerminal: boolean): DeviceArguments {
  const board = boards.get(raw.board);
  if (board === undefined) throw new ConfigError('--board', `there is no board '${raw.board}'`);
  const profile = makeProfile(raw.profile, settings(raw.set ?? []));
  if (profile['commissioning.port8444'] === 'on' && raw.port === raw.commissioningPort && raw.port !== 0) {
    throw new ConfigError('--commissioning-port', `${raw.port} is the operational port already (--port)`);
  }
  checkChoice({ allow: raw.interface, deny: raw.denyInterface });
  return {
    board,
    profile,
    state: path.resolve(raw.state ?? path.join('.state', board.name)),
    port: raw.port,
    commissioningPort: raw.commissioningPort,
    setupCode: raw.setupCode === undefined ? undefined : parseSetupCode(raw.setupCode, {}, '--setup-code'),
    discriminator: raw.discriminator,
    openWindow: raw.openWindow,
    freezeMeters: raw.freezeMeters,
    interfaces: raw.interface,
    deniedInterfaces: raw.denyInterface,
    logLevel: raw.logLevel,
    logFormat: raw.logFormat ?? (isTerminal ? 'pretty' : 'json'),
    protocolLog: raw.protocolLog,
    tlsKeyLog: raw.tlsKeyLog,
    enableKey: raw.enableKey,
  };
}

function settings(list: readonly string[]): Record<string, string> {
  // Without a prototype, so that `toString` is an unknown key like any other.
  const overrides: Record<string, string> = Object.create(null);
  for (const item of list) {
    const at = item.indexOf('=');
    if (at < 1) throw new ConfigError('--set', `'${item}' is not key=value`);
    const key = item.slice(0, at);
    if (key in overrides) throw new ConfigError('--set', `${key} is given twice`);
    overrides[key] = item.slice(at + 1);
  }
  return overrides;
}

/** `eth0`, or several with commas; what is wrong with a name is said by `checkChoice`. */
function names(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((name) => name.trim())];
}

function port(text: string): number {
  return wholeNumber(text, 65_535);
}

function discriminator(text: string): number {
  return wholeNumber(text, DISCRIMINATOR_MAXIMUM);
}

function wholeNumber(text: string, maximum: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value > maximum) throw new InvalidArgumentError(`A whole number of 0…${maximum} is due.`);
  return value;
}
