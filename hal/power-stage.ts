/** Contract of the power electronics of a charger: it is told what it may do, and tells what flows. Units as on the wire: mW, mA, mV, mWh, mHz. */
export interface PowerStage {
  /** What may flow from now on; acts within a second. Before the first order nothing flows. */
  apply(order: PowerOrder): void;
  /** What is so at this moment. */
  read(): PowerStageReading;
  /** Calls back when something changed by itself (a car was plugged in, its battery is full) until the returned function is called. */
  watch(listener: () => void): () => void;
  close(): void;
}

export interface PowerOrder {
  /** mW, null: no limit but the rating. */
  readonly ceiling: number | null;
  /** mA for each phase in turn, null: no limit but the rating. */
  readonly phaseLimits: readonly (number | null)[];
  readonly paused: boolean;
}

/** One phase; + is into the device. */
export interface PhasePower {
  /** mW. */
  readonly active: number;
  /** mVAR. */
  readonly reactive: number;
  /** mA. */
  readonly current: number;
  /** mV, phase to neutral. */
  readonly voltage: number;
}

export interface PowerStageReading {
  readonly phases: readonly PhasePower[];
  /** mHz. */
  readonly frequency: number;
  /** mWh, never falling. */
  readonly energyConsumed: number;
  /** mWh, never falling. */
  readonly energyProduced: number;
  /** Undefined while no car is plugged in. */
  readonly vehicle: VehicleReading | undefined;
}

/** What a car tells, and what it does. Null: it does not tell. */
export interface VehicleReading {
  readonly demand: boolean;
  readonly targetReached: boolean;
  /** mWh since it was plugged in. */
  readonly energyCharged: number;
  /** Kind (ChargingSession, EVIDType) and text. */
  readonly identifications: readonly { readonly type: number; readonly value: string }[] | null;
  /** Percent. */
  readonly stateOfCharge: number | null;
  /** mWh. */
  readonly capacity: number | null;
  /** Percent. */
  readonly minimumStateOfCharge: number | null;
  /** Percent. */
  readonly targetStateOfCharge: number | null;
}
