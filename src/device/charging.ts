import type { VehicleReading } from '../../hal/index.js';
import type { StageTarget } from '../failsafe/stage-target.js';
import { requests } from '../features/car.js';
import { type ModeState, modeCap, modeDeadline, nextMode, RUNNING, STOPPED, wishOf } from '../features/charging-mode.js';
import type { ChargingSession } from '../features/charging-session.js';
import { ChargingMode } from '../features/charging-session-table.js';
import type { Electrical } from '../features/electrical.js';
import type { Need } from '../features/plan-maker.js';
import type { Clock, Timer } from '../platform.js';

/** What steers a mode from outside of the charger. */
export interface ModeSteering {
  /** mW that the site has over, this charger's own draw included; null: nobody measures it. */
  surplus(): number | null;
  /** Whether energy is worth its price at this moment; undefined: no price is known. */
  worthwhile(): boolean | undefined;
  /** mW that the plan says for this moment; null: there is no plan. */
  planned(): number | null;
  /** In OVERRIDE the device follows itself: the mode waits, as setpoints do. */
  overridden(): boolean;
}

/** The charging mode of one endpoint at work (features.md §5): what it leaves of what limits leave. */
export class DeviceCharging {
  readonly #session: ChargingSession;
  readonly #electrical: Electrical;
  readonly #steering: ModeSteering;
  readonly #clock: Clock;
  readonly #onDue: () => void;
  /** Nothing flows at boot: a mode starts like any other time. */
  #state: ModeState = STOPPED;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /** `onDue`: a delay is over. */
  constructor(session: ChargingSession, electrical: Electrical, steering: ModeSteering, clock: Clock, onDue: () => void) {
    this.#session = session;
    this.#electrical = electrical;
    this.#steering = steering;
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** mW that the mode leaves now; null: it bounds nothing. */
  cap(vehicle: VehicleReading | undefined, target: StageTarget): number | null {
    const { settings } = this.#session;
    const { minPower } = this;
    const urgent = this.#steering.overridden() || isUrgent(vehicle);
    const wish = wishOf(settings, {
      minPower,
      urgent,
      surplus: this.#steering.surplus(),
      worthwhile: settings.mode === ChargingMode.PRICE_OPTIMIZED ? this.#steering.worthwhile() : undefined,
      planned: settings.mode === ChargingMode.SCHEDULED ? this.#steering.planned() : null,
    });
    const former = this.#state;
    if (urgent || settings.mode === ChargingMode.OFF) this.#state = RUNNING;
    else {
      // What limits, Pause and failsafe hold is no stop of the mode, and its end no start: delays do not touch them.
      const held = isHeld(target, minPower) && followsForecast(settings.mode);
      const run = held ? former.name === 'running' || former.name === 'starting' : wish.run;
      this.#state = nextMode(settings, former, run, this.#clock.now());
    }
    this.#arm(modeDeadline(settings, this.#state));
    return modeCap(this.#state, wish, minPower);
  }

  /** What a plan of this charger is made of. */
  need(vehicle: VehicleReading | undefined): { need: Need; session: string } {
    const { mode } = this.#session.settings;
    const power = this.#electrical.read(10) as number;
    const need = { power, minPower: this.minPower, byPrice: followsForecast(mode), energy: wanted(vehicle, mode) };
    const identity = [mode, this.#session.read(3), vehicle?.capacity, vehicle?.targetStateOfCharge, need.energy === 0].map(String);
    return { need, session: identity.join('/') };
  }

  /** No callback afterwards. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  get followsSurplus(): boolean {
    const { mode } = this.#session.settings;
    return mode === ChargingMode.PV_SURPLUS_ONLY || mode === ChargingMode.PV_SURPLUS_THRESHOLD;
  }

  get minPower(): number {
    return this.#electrical.read(12) as number;
  }

  #arm(at: number): void {
    if (at === this.#timerAt || this.#closed) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    const delay = Math.max(0, at - this.#clock.now());
    this.#timer = Number.isFinite(at)
      ? this.#clock.after('charging mode', delay, () => {
          this.#timerAt = Number.POSITIVE_INFINITY;
          this.#onDue();
        })
      : undefined;
  }
}

function isUrgent(vehicle: VehicleReading | undefined): boolean {
  return vehicle !== undefined && (requests(vehicle).minimum ?? 0) > 0;
}

function isHeld({ ceiling, paused, aborted }: StageTarget, minPower: number): boolean {
  return paused || aborted || (ceiling[0] !== null && ceiling[0] < minPower);
}

function followsForecast(mode: number): boolean {
  return mode === ChargingMode.PRICE_OPTIMIZED || mode === ChargingMode.SCHEDULED;
}

/** mWh; null: as much as there is. What the sun will give is not planned. */
function wanted(vehicle: VehicleReading | undefined, mode: number): number | null {
  if (vehicle === undefined || !vehicle.demand || vehicle.targetReached) return 0;
  if (mode === ChargingMode.PV_SURPLUS_ONLY || mode === ChargingMode.PV_SURPLUS_THRESHOLD) return 0;
  const { target, full } = requests(vehicle);
  const energy = target ?? full;
  return energy === null ? null : Math.max(0, energy);
}
