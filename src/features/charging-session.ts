import type { CborValue } from '../codec/cbor.js';
import { PeerError } from '../errors.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import type { Journal } from '../store/journal.js';
import { type RecordDefinition, readRecord, setRecord } from '../store/records.js';
import { CAR_ATTRIBUTES, DISCHARGE_ATTRIBUTES, describeCar } from './car.js';
import { describeEstimates, ESTIMATES } from './charging-estimates.js';
import { DEFAULT_MODE, type ModeSettings } from './charging-mode.js';
import { LONGEST_DELAY, modeRecord } from './charging-mode-record.js';
import { CHARGING_SESSION, ChargingMode, EVDemandMode } from './charging-session-table.js';
import { type ChargingObservation, chargingState } from './charging-state.js';
import { Values } from './values.js';

const SET_CHARGING_MODE = 1;

export interface ChargingSessionOptions {
  readonly endpoint: number;
  /** Unix seconds; undefined while the clock was never set. */
  now(): number | undefined;
  /** Modes that the charger can follow besides OFF. */
  readonly modes: readonly number[];
  /** 50–52 are listed. */
  readonly bidirectional: boolean;
  readonly journal: Pick<Journal, 'get' | 'quarantine' | 'commit'>;
  /** Whether the device has opted out of this zone (features.md §3). */
  refuses(caller: Caller): boolean;
  /** Another mode, threshold or delay is in force. */
  onMode(): void;
}

/** The charging session of a charger, and the mode that it follows. */
export class ChargingSession implements FeatureInstance {
  readonly schema = CHARGING_SESSION;
  readonly attributes: readonly number[];
  readonly commands = [SET_CHARGING_MODE];
  readonly #options: ChargingSessionOptions;
  readonly #values: Values;
  readonly #record: RecordDefinition<ModeSettings>;
  #settings: ModeSettings;
  /** Commands one after the other: what one leaves out is what the one before it has set. */
  #turn: Promise<unknown> = Promise.resolve();
  #plugged = false;

  constructor(options: ChargingSessionOptions) {
    this.#options = options;
    this.#record = modeRecord(options.endpoint);
    const stored = readRecord(options.journal, this.#record);
    // Another firmware may have had more modes.
    this.#settings = stored !== undefined && this.#supports(stored.mode) ? stored : DEFAULT_MODE;
    const listed = [...CAR_ATTRIBUTES, ...ESTIMATES, ...(options.bidirectional ? DISCHARGE_ATTRIBUTES : [])];
    this.#values = new Values(
      new Map<number, CborValue>([
        [1, 0],
        [3, null],
        [4, null],
        [10, 0],
        [11, 0],
        ...listed.map((id) => [id, null] as const),
        [40, EVDemandMode.NONE],
        [71, [ChargingMode.OFF, ...options.modes]],
        ...describeMode(this.#settings),
      ]),
    );
    this.attributes = this.#values.ids;
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  /** Takes what is so now; one report for all that changed. */
  update(observation: ChargingObservation): void {
    const { vehicle } = observation.reading;
    const changes = new Map<number, CborValue>([[1, chargingState(observation)]]);
    if (vehicle !== undefined && !this.#plugged) this.#begin(changes);
    if (vehicle === undefined && this.#plugged) changes.set(4, this.#options.now() ?? null);
    this.#plugged = vehicle !== undefined;
    if (vehicle !== undefined) changes.set(10, vehicle.energyCharged).set(11, vehicle.energyDischarged ?? 0);
    for (const [id, value] of describeCar(vehicle)) changes.set(id, value);
    for (const [id, value] of describeEstimates(observation.reading)) changes.set(id, value);
    this.#values.update(changes);
  }

  /** What the mode goes by. */
  get settings(): ModeSettings {
    return this.#settings;
  }

  /** features.md §3, optOutState: SetChargingMode → 8. */
  authorize(_command: number, _parameters: ReadonlyMap<string, CborValue>, caller: Caller): void {
    if (this.#options.refuses(caller)) throw new PeerError(InteractionStatus.NOT_AUTHORIZED, 'the device has opted out');
  }

  /**
   * features.md §5: a mode not in 71, or a threshold mode without threshold, is answered in the result; a delay beyond an hour is status 11. What it
   * acknowledges is in the journal.
   */
  async invoke(_command: number, parameters: ReadonlyMap<string, CborValue>): Promise<CommandOutcome> {
    const mode = parameters.get('mode') as number;
    const threshold = (parameters.get('surplusThreshold') ?? null) as number | null;
    const delays = [parameters.get('startDelay') ?? null, parameters.get('stopDelay') ?? null] as readonly (number | null)[];
    if (delays.some((delay) => (delay ?? 0) > LONGEST_DELAY)) throw violated(`a delay is at most ${LONGEST_DELAY} s`);
    if ((threshold ?? 0) < 0) throw violated('surplusThreshold is negative');
    if (!this.#supports(mode)) return this.#refused(`charging mode ${mode} is not supported`);
    if (mode === ChargingMode.PV_SURPLUS_THRESHOLD && threshold === null) return this.#refused('surplusThreshold is missing');
    const turn = this.#turn.then(() =>
      this.#store({
        mode,
        surplusThreshold: mode === ChargingMode.PV_SURPLUS_THRESHOLD ? threshold : null,
        startDelay: delays[0] ?? this.#settings.startDelay,
        stopDelay: delays[1] ?? this.#settings.stopDelay,
      }),
    );
    this.#turn = turn.catch(() => undefined);
    await turn;
    return {
      values: new Map<string, CborValue>([
        ['success', true],
        ['activeMode', mode],
      ]),
    };
  }

  async #store(settings: ModeSettings): Promise<void> {
    await this.#options.journal.commit([setRecord(this.#record, settings)]);
    this.#settings = settings;
    this.#values.update(describeMode(settings));
    this.#options.onMode();
  }

  #supports(mode: number): boolean {
    return mode === ChargingMode.OFF || this.#options.modes.includes(mode);
  }

  #begin(changes: Map<number, CborValue>): void {
    changes.set(3, this.#options.now() ?? null);
    changes.set(4, null);
    changes.set(10, 0);
    changes.set(11, 0);
  }

  #refused(reason: string): CommandOutcome {
    return {
      values: new Map<string, CborValue>([
        ['success', false],
        ['activeMode', this.#values.read(70)],
        ['reason', reason],
      ]),
    };
  }
}

function describeMode({ mode, surplusThreshold, startDelay, stopDelay }: ModeSettings): ReadonlyMap<number, CborValue> {
  return new Map<number, CborValue>([
    [70, mode],
    [72, surplusThreshold],
    [80, startDelay],
    [81, stopDelay],
  ]);
}

function violated(text: string): PeerError {
  return new PeerError(InteractionStatus.CONSTRAINT, text);
}
