import type { CborMap, CborValue } from '../codec/cbor.js';
import { PeerError } from '../errors.js';
import { type EnergyCommand, type EnergyResult, isAccepted } from '../failsafe/command-types.js';
import { EnergyControlCore, type EnergyControlParts } from '../failsafe/energy-control-core.js';
import type { StageTarget } from '../failsafe/stage-target.js';
import type { ControlAbilities } from '../model/board.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../model/feature.js';
import type { Side } from '../zones/timed-values.js';
import { ENERGY_CONTROL } from './energy-control-table.js';

export interface EnergyControlSettings extends EnergyControlParts {
  readonly control: Pick<ControlAbilities, 'deviceType' | 'process'>;
  /** Unix seconds, fractions kept; undefined while the clock was never set: starts are told in wall time and kept in monotonic time. */
  now(): number | undefined;
  /** Called after every change of what the power stage has to obey. */
  onTarget(target: StageTarget): void;
  /** Attributes that every zone sees alike have a new value. */
  onShared?(ids: readonly number[]): void;
  /** The zones whose limits and signals do not count until they return (features.md §4); called at each change. */
  onSuspended?(zones: ReadonlySet<string>): void;
}

/** Commands by id, as the core names them. */
const COMMANDS = new Map<number, EnergyCommand['name']>([
  [1, 'setLimit'],
  [2, 'clearLimit'],
  [3, 'setCurrentLimits'],
  [4, 'clearCurrentLimits'],
  [5, 'setSetpoint'],
  [6, 'clearSetpoint'],
  [7, 'setCurrentSetpoints'],
  [8, 'clearCurrentSetpoints'],
  [9, 'pause'],
  [10, 'resume'],
  [11, 'stop'],
  [12, 'scheduleProcess'],
  [13, 'cancelProcess'],
  [14, 'adjustStartTime'],
]);

type Parameters = ReadonlyMap<string, CborValue>;

/** EnergyControl of one endpoint on the wire: translates between the tables' values and the core, which holds every rule. */
export class EnergyControl implements FeatureInstance {
  readonly schema = ENERGY_CONTROL;
  readonly attributes: readonly number[];
  readonly commands: readonly number[];
  readonly core: EnergyControlCore;
  readonly #settings: EnergyControlSettings;
  readonly #constants: ReadonlyMap<number, CborValue>;
  #report: ReportChange = () => undefined;

  constructor(settings: EnergyControlSettings) {
    const { config, control } = settings;
    const { process } = control;
    this.#settings = settings;
    this.#constants = new Map<number, CborValue>([
      [1, control.deviceType],
      [10, config.acceptsLimits],
      [11, config.acceptsCurrentLimits],
      [12, config.acceptsSetpoints],
      [13, config.acceptsCurrentSetpoints],
      [14, config.isPausable],
      [15, config.isShiftable],
      [16, config.isStoppable],
      [73, null],
      [81, process.optional],
      [82, process.minRunDuration],
      [83, process.minPauseDuration],
      [84, process.maxRunDuration],
      [85, process.maxPauseDuration],
      [86, process.power],
    ]);
    const listed = [...this.#constants.keys(), 2, 3, 20, 21, 22, 23, 70, 71, 72, 75, 76, 80];
    if (config.acceptsCurrentLimits) listed.push(30, 31, 32, 33);
    if (config.acceptsSetpoints) listed.push(40, 41, 42, 43);
    if (config.acceptsCurrentSetpoints) listed.push(50, 51, 52, 53);
    this.attributes = listed.sort((a, b) => a - b);
    this.commands = [...COMMANDS].filter(([, name]) => name === 'setLimit' || isAccepted(config, name)).map(([id]) => id);
    const isListed = (id: number): boolean => this.attributes.includes(id);
    this.core = new EnergyControlCore(settings, {
      onChanged: (ids, onlyZone) => {
        this.#report(ids.filter(isListed), onlyZone);
        if (onlyZone === undefined) settings.onShared?.(ids);
      },
      onTarget: (target) => settings.onTarget(target),
      onSuspended: (zones) => settings.onSuspended?.(zones),
    });
  }

  attach(report: ReportChange): void {
    this.#report = report;
  }

  read(id: number, caller: Caller): CborValue {
    return this.#constants.get(id) ?? this.core.read(id, caller.id) ?? null;
  }

  authorizeWrite(id: number, caller: Caller): void {
    this.core.authorizeWrite(caller, id);
  }

  checkWrite(id: number, value: CborValue, caller: Caller, before: ReadonlyMap<number, CborValue>): void {
    this.core.checkWrite(caller, numbers([...before, [id, value]]));
  }

  write(values: ReadonlyMap<number, CborValue>, caller: Caller): Promise<void> {
    return this.core.write(caller, numbers(values));
  }

  authorize(command: number, parameters: Parameters, caller: Caller): void {
    this.core.authorize(caller, parse(nameOf(command), parameters, this.#settings.now()));
  }

  async invoke(command: number, parameters: Parameters, caller: Caller): Promise<CommandOutcome | undefined> {
    const name = nameOf(command);
    const received = this.#settings.now();
    return outcome(name, await this.core.execute(caller, parse(name, parameters, received)), received);
  }
}

function nameOf(command: number): EnergyCommand['name'] {
  const name = COMMANDS.get(command);
  if (name === undefined) throw new PeerError(4, `there is no command ${command}`);
  return name;
}

function parse(name: EnergyCommand['name'], parameters: Parameters, unixNow: number | undefined): EnergyCommand {
  const cause = integer(parameters.get('cause')) ?? 0;
  const seconds = integer(parameters.get('duration'));
  const duration = seconds === undefined || seconds === null ? {} : { duration: seconds };
  const processId = integer(parameters.get('processId'));
  const process = processId === undefined || processId === null ? {} : { processId };
  switch (name) {
    case 'setLimit':
      return {
        name,
        values: [integer(parameters.get('consumptionLimit')), integer(parameters.get('productionLimit'))],
        cause,
        ...duration,
      };
    case 'setSetpoint': {
      const values = [integer(parameters.get('consumptionSetpoint')), integer(parameters.get('productionSetpoint'))] as const;
      return { name, values, cause, ...duration };
    }
    case 'setCurrentLimits':
    case 'setCurrentSetpoints':
      return { name, phases: phasesOf(parameters.get('phases')), sides: sidesOf(parameters), cause, ...duration };
    case 'clearLimit':
    case 'clearCurrentLimits':
    case 'clearSetpoint':
    case 'clearCurrentSetpoints':
      return { name, sides: sidesOf(parameters) };
    case 'pause':
      return { name, ...duration };
    case 'resume':
    case 'stop':
      return { name };
    case 'scheduleProcess': {
      const delay = (integer(parameters.get('startDelay')) ?? 0) * 1000;
      const requested = integer(parameters.get('requestedStart')) ?? undefined;
      return { name, startsIn: requested === undefined ? delay : startsIn(requested, unixNow), ...process };
    }
    case 'cancelProcess':
      return { name, ...process };
    case 'adjustStartTime':
      return { name, startsIn: startsIn(integer(parameters.get('requestedStart')) ?? 0, unixNow) };
  }
}

function outcome(name: EnergyCommand['name'], result: EnergyResult, unixNow: number | undefined): CommandOutcome | undefined {
  const values = new Map<string, CborValue>();
  switch (result.kind) {
    case 'success':
      return undefined;
    case 'limit': {
      const [consumption, production] = result.effective;
      values.set('applied', result.applied).set('controlState', result.controlState);
      if (consumption !== null) values.set('effectiveConsumptionLimit', consumption);
      if (production !== null) values.set('effectiveProductionLimit', production);
      if (result.rejectReason !== undefined) values.set('rejectReason', result.rejectReason);
      break;
    }
    case 'retry':
      values.set('success', false).set('applied', false).set('retryAfter', result.retryAfter);
      break;
    case 'process':
      values.set('success', true);
      if (result.startsIn !== undefined && unixNow !== undefined) values.set('actualStart', Math.round(unixNow + result.startsIn / 1000));
      if (name !== 'adjustStartTime') values.set('newState', result.newState);
  }
  return { values: values satisfies CborMap };
}

function numbers(values: Iterable<readonly [number, CborValue]>): ReadonlyMap<number, number | null> {
  return new Map([...values].map(([id, value]) => [id, integer(value) ?? null]));
}

/** Undefined when absent. */
function integer(value: CborValue | undefined): number | null | undefined {
  return value === null || typeof value === 'number' ? value : undefined;
}

function phasesOf(value: CborValue | undefined): ReadonlyMap<number, number | null> {
  const phases = new Map<number, number | null>();
  if (value instanceof Map) for (const [phase, current] of value) phases.set(Number(phase), integer(current) ?? null);
  return phases;
}

/** 2 or absent: both. */
function sidesOf(parameters: Parameters): readonly Side[] {
  const direction = integer(parameters.get('direction')) ?? 2;
  return direction === 0 ? [0] : direction === 1 ? [1] : [0, 1];
}

/** ms from receipt; 0 is now, as in Signals; undefined: another start, and the clock was never set. */
function startsIn(requested: number, unixNow: number | undefined): number | undefined {
  if (unixNow === undefined) return requested === 0 ? 0 : undefined;
  return (requested - unixNow) * 1000;
}
