import type { Command } from 'commander';
import type { CborMap, CborValue } from '../../codec/cbor.js';
import { checkResult } from '../../controller/command-result.js';
import { findEndpoint } from '../../controller/endpoints.js';
import { namedValues, plain } from '../../controller/names.js';
import { parseQuantity, shownFields, shownValues } from '../../controller/quantities.js';
import { commandTable } from '../../controller/tables.js';
import { parseTyped } from '../../controller/typed-text.js';
import type { ZoneKind } from '../../controller/zone.js';
import { ConfigError } from '../../errors.js';
import { ENERGY_CONTROL, LimitCause, SetpointCause } from '../../features/energy-control-table.js';
import { Direction } from '../../features/shared.js';
import { enumeration } from '../../model/table.js';
import type { Choose, Connected, ControllerContext, Outcome } from '../controller-context.js';
import { choice, numberArgument } from '../controller-options.js';
import { valuesText } from '../controller-output.js';

interface Aim {
  /** Undefined: the only one with EnergyControl. */
  readonly endpoint?: number;
}
interface Timed extends Aim {
  readonly duration?: number;
  readonly hold?: boolean;
}
interface Order extends Timed {
  readonly production?: boolean;
  readonly cause?: string;
}
interface Clearing extends Aim {
  readonly consumption?: boolean;
  readonly production?: boolean;
  readonly of: keyof typeof CLEARING;
}
interface FailsafeOptions extends Timed {
  readonly limit?: string;
  readonly productionLimit?: string;
}

/** What `clear --of` clears, and the command that does it. */
const CLEARING = { limits: 2, 'current-limits': 4, setpoints: 6, 'current-setpoints': 8 } as const;
const SET_LIMIT = 1;
const SET_SETPOINT = 5;
const PAUSE = 9;
const RESUME = 10;
const STOP = 11;
/** controlState, and what a failsafe is made of. */
const FAILSAFE = [2, 70, 71, 72];
/** features.md §4: setpoints end with their connection; a duration ends at the zone's next handshake. */
const HOLD = 'stay connected until Ctrl-C: setpoints end with the connection, durations at the next one';
/** features.md §3. */
const LONGEST = 86_400;

/** Why a zone of this type limits, unless told otherwise. */
const CAUSES: Readonly<Record<ZoneKind, number>> = {
  grid: LimitCause.GRID_OPTIMIZATION,
  building: LimitCause.LOCAL_OPTIMIZATION,
  home: LimitCause.LOCAL_OPTIMIZATION,
  user: LimitCause.USER_PREFERENCE,
  test: LimitCause.LOCAL_OPTIMIZATION,
};
const SETPOINT_CAUSES: Readonly<Record<ZoneKind, number>> = {
  grid: SetpointCause.GRID_REQUEST,
  building: SetpointCause.SELF_CONSUMPTION,
  home: SetpointCause.SELF_CONSUMPTION,
  user: SetpointCause.USER_PREFERENCE,
  test: SetpointCause.SELF_CONSUMPTION,
};

/** limit, setpoint, clear, pause, resume, stop, failsafe. */
export function describeEnergy(program: Command, choose: Choose): void {
  const command = (name: string, text: string): Command =>
    program
      .command(name)
      .description(text)
      .option('--endpoint <number>', 'where several endpoints are controlled', numberArgument('--endpoint', 0, 255));
  const order = (name: string, text: string, causes: Readonly<Record<string, number>>): Command =>
    command(name, text)
      .usage('[options] [device] <kilowatts>')
      .argument('<kilowatts...>', 'power in kW, after the device where one is named')
      .option('--production', 'of production, not of consumption')
      .option('--hold', HOLD)
      .option('--duration <seconds>', 'how long it holds (default: until it is cleared)', numberArgument('--duration', 1, LONGEST))
      .addOption(choice('--cause', 'name', "why (default: by the zone's type)", Object.keys(causes)));
  order('limit', "set this zone's limit; the smallest of all zones holds", LimitCause).action((words: readonly string[], options: Order) =>
    choose((context) => limit(context, words, options)),
  );
  order('setpoint', "set this zone's setpoint; that of the highest priority holds", SetpointCause).action(
    (words: readonly string[], options: Order) => choose((context) => setpoint(context, words, options)),
  );
  command('clear', "clear this zone's limits or setpoints, of both directions unless one is named")
    .argument('[device]', 'as with read')
    .option('--consumption', 'of consumption alone')
    .option('--production', 'of production alone')
    .addOption(choice('--of', 'what', 'what to clear', Object.keys(CLEARING)).default('limits'))
    .action((device: string | undefined, options: Clearing) => choose((context) => clear(context, device, options)));
  command('pause', 'pause the process of the device')
    .argument('[device]', 'as with read')
    .option('--hold', HOLD)
    .option('--duration <seconds>', 'for how long (default: until resumed)', numberArgument('--duration', 1, LONGEST))
    .action((device: string | undefined, options: Timed) => choose((context) => invoke(context, device, options, PAUSE, timed(options))));
  command('resume', 'let a paused process go on')
    .argument('[device]', 'as with read')
    .action((device: string | undefined, options: Aim) => choose((context) => invoke(context, device, options, RESUME, new Map())));
  command('stop', 'end the process of the device')
    .argument('[device]', 'as with read')
    .action((device: string | undefined, options: Aim) => choose((context) => invoke(context, device, options, STOP, new Map())));
  command('failsafe', 'show what holds when no zone is connected, or change it')
    .argument('[device]', 'as with read')
    .option('--limit <kilowatts>', 'limit of consumption')
    .option('--production-limit <kilowatts>', 'limit of production')
    .option('--duration <seconds>', 'how long it holds, 7200 to 86400', numberArgument('--duration', 0, 0xffff_ffff))
    .action((device: string | undefined, options: FailsafeOptions) => choose((context) => failsafe(context, device, options)));
}

async function limit(context: ControllerContext, words: readonly string[], options: Order): Promise<Outcome | undefined> {
  const { device, power } = orderOf('limit', words);
  const name = options.production === true ? 'productionLimit' : 'consumptionLimit';
  return invoke(context, device, options, SET_LIMIT, ({ zone }) =>
    parameters(name, power, options, causeOf(LimitCause, options, CAUSES[zone.kind])),
  );
}

async function setpoint(context: ControllerContext, words: readonly string[], options: Order): Promise<Outcome | undefined> {
  const { device, power } = orderOf('setpoint', words);
  const name = options.production === true ? 'productionSetpoint' : 'consumptionSetpoint';
  if (options.hold !== true) context.progress('the setpoint ends with this connection; --hold keeps it');
  return invoke(context, device, options, SET_SETPOINT, ({ zone }) =>
    parameters(name, power, options, causeOf(SetpointCause, options, SETPOINT_CAUSES[zone.kind])),
  );
}

async function clear(context: ControllerContext, device: string | undefined, options: Clearing): Promise<Outcome | undefined> {
  const { consumption = false, production = false } = options;
  const one = production ? Direction.PRODUCTION : Direction.CONSUMPTION;
  const direction = consumption === production ? Direction.BIDIRECTIONAL : one;
  return invoke(context, device, options, CLEARING[options.of], new Map([['direction', direction]]));
}

/** Shows what there is; with an option, writes it first. */
async function failsafe(context: ControllerContext, device: string | undefined, options: FailsafeOptions): Promise<Outcome> {
  const values = new Map<number, CborValue>();
  if (options.limit !== undefined) values.set(70, parseQuantity(options.limit, 'mW', '--limit'));
  if (options.productionLimit !== undefined) values.set(71, parseQuantity(options.productionLimit, 'mW', '--production-limit'));
  if (options.duration !== undefined) values.set(72, options.duration);
  return context.withDevice(device, async (connected) => {
    const { session, record } = connected;
    const endpoint = await energyEndpoint(connected, options);
    if (values.size > 0) await session.write(endpoint, ENERGY_CONTROL.id, values);
    const held = await session.read(endpoint, ENERGY_CONTROL.id, FAILSAFE);
    const value = { device: record.id, endpoint, feature: ENERGY_CONTROL.name, values: namedValues(ENERGY_CONTROL.id, held) };
    return { value, text: valuesText(shownValues(ENERGY_CONTROL.id, held)) };
  });
}

/** A command of EnergyControl, its result for people and as JSON. Rejects with REFUSED and the reject reason's name. */
function invoke(
  context: ControllerContext,
  device: string | undefined,
  aim: Timed,
  id: number,
  given: CborMap | ((connected: Connected) => CborMap),
): Promise<Outcome | undefined> {
  return context.withDevice(device, async (connected) => {
    const { session, record } = connected;
    const endpoint = await energyEndpoint(connected, aim);
    const result = await session.invoke(endpoint, ENERGY_CONTROL.id, id, typeof given === 'function' ? given(connected) : given);
    const { name, response } = commandTable(ENERGY_CONTROL.id, id) ?? { name: String(id), response: [] };
    checkResult(name, result);
    const value = { device: record.id, endpoint, feature: ENERGY_CONTROL.name, command: name, result: plain(result) };
    const outcome = { value, text: valuesText(shownFields(response, result)) };
    if (aim.hold !== true) return outcome;
    context.print(outcome.value, outcome.text);
    await context.stayConnected(session);
    return undefined;
  });
}

function energyEndpoint({ session, record }: Connected, { endpoint }: Aim): Promise<number> {
  return findEndpoint(session, record, { endpoint, feature: ENERGY_CONTROL.id });
}

/** `[DEVICE] KILOWATTS`. */
function orderOf(command: string, words: readonly string[]): { device: string | undefined; power: number } {
  const device = words.length > 1 ? words[0] : undefined;
  const [text = '', ...more] = device === undefined ? words : words.slice(1);
  if (more.length > 0) throw new ConfigError(command, 'the power in kW comes last');
  return { device, power: parseQuantity(text, 'mW', 'kilowatts') };
}

function parameters(name: string, power: number, options: Timed, cause: CborValue): Map<string, CborValue> {
  return new Map([[name, power], ...timed(options), ['cause', cause]]);
}

function timed({ duration }: Timed): Map<string, CborValue> {
  return new Map(duration === undefined ? [] : [['duration', duration]]);
}

function causeOf(causes: Readonly<Record<string, number>>, { cause }: Order, usual: number): CborValue {
  return cause === undefined ? usual : parseTyped(enumeration(causes), cause, '--cause', false);
}
