/**
 * Contract of the power electronics of one endpoint, a charger's or a compressor's: it is told what it may do, and tells what flows. Units as on the
 * wire: mW, mA, mV, mWh, mHz, hundredths of a degree.
 */
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
  /** The process waits (Pause). */
  readonly paused: boolean;
  /** The process does not go on (Stop, CancelProcess). */
  readonly aborted: boolean;
  /** The process runs, as the device offered it or a zone scheduled it. */
  readonly running: boolean;
  /** mW that may be taken out of the car; absent: none. */
  readonly discharge?: number;
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
  /** False: the meter tells nothing now. Whatever else is here, no measured value is known then. */
  readonly metered?: boolean;
  readonly phases: readonly PhasePower[];
  /** mHz. */
  readonly frequency: number;
  /** mWh since the stage was made, never falling: the runtime keeps what was before. */
  readonly energyConsumed: number;
  readonly energyProduced: number;
  /** Of what the board measures; null where it measures none, or not now. */
  readonly temperature: number | null;
  /** Undefined while no car is plugged in. */
  readonly vehicle: VehicleReading | undefined;
  /** What there is to do besides what the device must do; undefined where the vehicle decides. */
  readonly process: 'resting' | 'offered' | 'finished' | undefined;
  /** It draws more than it was ordered to, because it must (EnergyControl: OverrideReason, Direction). */
  readonly override: { readonly reason: number; readonly direction: number } | undefined;
  /** Nothing flows while there is one. `detail`: the vendor's. */
  readonly fault: { readonly code: number; readonly message: string; readonly detail?: number } | undefined;
}

/** What a car tells, and what it does. Null: it does not tell. */
export interface VehicleReading {
  readonly demand: boolean;
  readonly targetReached: boolean;
  /** mWh since it was plugged in. */
  readonly energyCharged: number;
  /** mWh taken out of it since then; absent where nothing can be. */
  readonly energyDischarged?: number;
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
  /** Of a car that can give energy back, mWh (ISO 15118-20). */
  readonly discharge?: {
    /** Below 0 where energy may be taken out. */
    readonly minimumRequest: number;
    /** At least 0 where energy may be taken out. */
    readonly maximumRequest: number;
    readonly belowTargetPermitted: boolean;
  };
  /** How it narrows the ratings: mW, mW, mA and mA per phase. Absent: it does not. */
  readonly bounds: {
    readonly maxConsumption?: number;
    readonly minPower?: number;
    readonly maxCurrent?: number;
    readonly minCurrent?: number;
  };
}
