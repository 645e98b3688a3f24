import type { CborValue } from '../codec/cbor.js';
import { PeerError } from '../errors.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import type { Clock, Timer } from '../platform.js';
import { isObserver } from '../zones/resolution.js';
import {
  boundaries,
  constraintAt,
  expireSignals,
  put,
  SIGNAL_KINDS,
  type Signal,
  type SignalBook,
  type SignalKind,
  shownSignal,
  withdraw,
} from '../zones/signal-book.js';
import type { Pair } from '../zones/timed-values.js';
import { signalOf } from './signal-checks.js';
import { SIGNALS } from './signals-table.js';
import { Values } from './values.js';

export interface SignalsOptions {
  readonly clock: Clock;
  /** Unix seconds, fractions kept; undefined while the clock was never set. */
  now(): number | undefined;
  /** SendForecastSignal and forecastSlots: feature map bit 8. */
  readonly forecasts: boolean;
  /** Whether the device has opted out of this zone (features.md §3). */
  refuses(caller: Caller): boolean;
  /** What a zone's constraint allows from now on, mW; called at each change of it. */
  onConstraint(zoneId: string, limits: Pair<number | null>): void;
  /** A signal came or went, or a slot began or ended. */
  onChanged(): void;
}

const COMMANDS: Readonly<Record<number, SignalKind>> = { 1: 'price', 2: 'constraint', 3: 'forecast' };
const SEND_FORECAST = 3;
const CLEAR_SIGNALS = 4;
const SLOTS: Readonly<Record<SignalKind, number>> = { price: 10, constraint: 20, forecast: 30 };
const NONE: Pair<number | null> = [null, null];

/** Signals of one endpoint (features.md §5): one per zone and kind, kept in memory alone; a restart ends them (§4). */
export class Signals implements FeatureInstance {
  readonly schema = SIGNALS;
  readonly attributes: readonly number[];
  readonly commands: readonly number[];
  readonly #options: SignalsOptions;
  readonly #values: Values;
  #book: SignalBook = [];
  #suspended: ReadonlySet<string> = new Set();
  #constraints = new Map<string, Pair<number | null>>();
  #order = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SignalsOptions) {
    this.#options = options;
    const listed = [1, 2, 3, 10, 20, ...(options.forecasts ? [30] : [])];
    this.#values = new Values(new Map(listed.map((id) => [id, null])));
    this.attributes = this.#values.ids;
    this.commands = [1, 2, ...(options.forecasts ? [SEND_FORECAST] : []), CLEAR_SIGNALS];
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  /** features.md §3, optOutState: Signals → 8; a kind that does not exist is of the wrong shape, 5. */
  authorize(command: number, parameters: ReadonlyMap<string, CborValue>, caller: Caller): void {
    if (command === CLEAR_SIGNALS) kindsOf(parameters.get('signalType') ?? null);
    if (this.#options.refuses(caller)) throw new PeerError(InteractionStatus.NOT_AUTHORIZED, 'the device has opted out');
  }

  invoke(command: number, parameters: ReadonlyMap<string, CborValue>, caller: Caller): CommandOutcome | undefined {
    if (command === CLEAR_SIGNALS) return this.#clear(kindsOf(parameters.get('signalType') ?? null), caller);
    const kind = COMMANDS[command] as SignalKind;
    const { clock, now } = this.#options;
    const receipt = { now: clock.now(), unix: now(), order: this.#order + 1 };
    const signal = signalOf(kind, parameters, caller, receipt);
    this.#order += 1;
    this.#hold(put(this.#book, signal));
    return undefined;
  }

  /** What is in force or to come; suspended zones' signals are not among them. */
  get book(): SignalBook {
    return this.#book.filter(({ zone }) => !this.#suspended.has(zone.id));
  }

  /** The price signal that counts: a TEST zone's is shown at most. */
  get price(): Signal | undefined {
    return shownSignal(
      this.book.filter(({ zone }) => !isObserver(zone)),
      'price',
    );
  }

  /** features.md §4, own zone removed: its signals end. */
  removeZone(zoneId: string): void {
    if (this.#book.some(({ zone }) => zone.id === zoneId)) this.#hold(withdraw(this.#book, zoneId, SIGNAL_KINDS));
  }

  /** features.md §4, failsafe over: these zones' signals wait for their return; the others count. */
  suspend(zones: ReadonlySet<string>): void {
    this.#suspended = zones;
    this.#show();
    this.#options.onChanged();
  }

  /** No callback afterwards. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #clear(kinds: readonly SignalKind[], caller: Caller): CommandOutcome {
    const kept = withdraw(this.#book, caller.id, kinds);
    const cleared = this.#book.length - kept.length;
    if (cleared > 0) this.#hold(kept);
    return { values: new Map<string, CborValue>([['cleared', cleared]]) };
  }

  /** Makes a book hold: constraints first, then what is shown, then whoever plans with it. */
  #hold(book: SignalBook): void {
    if (this.#closed) return;
    const now = this.#options.clock.now();
    this.#book = expireSignals(book, now);
    this.#constrain(now);
    this.#show();
    this.#arm(now);
    this.#options.onChanged();
  }

  #constrain(now: number): void {
    const former = this.#constraints;
    this.#constraints = new Map();
    for (const { kind, zone } of this.#book)
      if (kind === 'constraint') this.#constraints.set(zone.id, constraintAt(this.#book, zone.id, now));
    for (const zone of new Set([...former.keys(), ...this.#constraints.keys()])) {
      const [before, after] = [former.get(zone) ?? NONE, this.#constraints.get(zone) ?? NONE];
      if (before[0] !== after[0] || before[1] !== after[1]) this.#options.onConstraint(zone, after);
    }
  }

  #shown(kind: SignalKind): Signal | undefined {
    return shownSignal(this.book, kind);
  }

  #show(): void {
    const shown = SIGNAL_KINDS.map((kind) => [kind, this.#shown(kind)] as const);
    const latest = shown.reduce<Signal | undefined>((best, [, one]) => ((one?.order ?? 0) > (best?.order ?? 0) ? one : best), undefined);
    this.#values.update(
      new Map<number, CborValue>([
        [1, latest?.source ?? null],
        [2, latest?.startTime ?? null],
        [3, latest?.validUntil ?? null],
        ...shown.map(([kind, signal]) => [SLOTS[kind], signal?.slots.map(({ fields }) => fields) ?? null] as const),
      ]),
    );
  }

  #arm(now: number): void {
    this.#timer?.cancel();
    const next = Math.min(...boundaries(this.#book, now));
    this.#timer = Number.isFinite(next) ? this.#options.clock.after('signal slot', next - now, () => this.#hold(this.#book)) : undefined;
  }
}

/** features.md §5: own kinds by name, all without one; another text is status 5. */
function kindsOf(type: CborValue): readonly SignalKind[] {
  if (type === null) return SIGNAL_KINDS;
  const kinds = SIGNAL_KINDS.filter((kind) => kind === type);
  if (kinds.length === 0) throw new PeerError(InteractionStatus.INVALID_PARAMETER, 'signalType is price, constraint or forecast');
  return kinds;
}
