/** Nameplate of an endpoint's power stage. */
export interface ElectricalRatings {
  /** 1…3. */
  readonly phaseCount: number;
  /** V, phase to neutral. */
  readonly nominalVoltage: number;
  /** Hz. */
  readonly nominalFrequency: number;
  /** `Direction`: 0 CONSUMPTION, 1 PRODUCTION, 2 BIDIRECTIONAL. */
  readonly directions: number;
  /** mW. */
  readonly maxConsumption: number;
  /** mW, 0 where there is none. */
  readonly maxProduction: number;
  /** mW: the lowest power at which it runs. */
  readonly minPower: number;
  /** mA per phase. */
  readonly maxCurrent: number;
  /** mA per phase. */
  readonly minCurrent: number;
  /** `AsymmetricSupport`: 0 NONE. */
  readonly asymmetric: number;
  /** mWh, 0 where there is none. */
  readonly energyCapacity: number;
}

/** What zones may control on an endpoint. */
export interface ControlAbilities {
  /** EnergyControl, DeviceType: 0 EVSE, 1 HEAT_PUMP. */
  readonly deviceType: number;
  readonly accepts: {
    readonly acceptsLimits: boolean;
    readonly acceptsCurrentLimits: boolean;
    readonly acceptsSetpoints: boolean;
    readonly acceptsCurrentSetpoints: boolean;
    readonly isPausable: boolean;
    readonly isStoppable: boolean;
    readonly isShiftable: boolean;
  };
  /** Default failsafe limits, mW: consumption, production. */
  readonly failsafeLimits: readonly [number, number];
  /** Durations in s; null: none. */
  readonly process: {
    /** It can be put off: nobody needs it now. */
    readonly optional: boolean;
    readonly minRunDuration: number | null;
    readonly minPauseDuration: number | null;
    readonly maxRunDuration: number | null;
    readonly maxPauseDuration: number | null;
    /** mW that are expected while it runs; null: not known. */
    readonly power: number | null;
  };
}

/** A board as data: one file in `boards/` per board, nothing but facts. */
export interface BoardDefinition {
  /** `--board` name. */
  readonly name: string;
  readonly vendorId: number;
  readonly productId: number;
  readonly brand: string;
  readonly model: string;
  readonly hardwareVersion: string | null;
  /** TXT key DT of `_mashc._udp`: `EVSE`, `HEAT_PUMP`. */
  readonly deviceType: string;
  /** TXT key cat of `_mash-comm._tcp`: device categories, 3 = EMOB. */
  readonly categories: readonly number[];
  /** Prefix of generated serial numbers. */
  readonly serialPrefix: string;
  /** Whether the commissioning window opens when the runtime starts without a zone. */
  readonly windowAtStart: 'open' | 'closed';
  readonly parts: {
    /** What the relay does at boot, on exit and on a crash. */
    readonly relay: { readonly safe: boolean; readonly line: string };
    readonly button: { readonly line: string; readonly longPress: number };
    readonly display: boolean;
  };
  readonly endpoints: readonly {
    readonly id: number;
    /** Endpoint type: 0 DEVICE_ROOT, 5 EV_CHARGER, 6 HEAT_PUMP. */
    readonly type: number;
    readonly label?: string;
    /** Bits 4 SIGNALS, 5 TARIFF, 6 PLAN give the endpoint these features, bit 8 FORECAST the forecasts of Signals; they need `electrical`. */
    readonly featureMap: number;
    /** With it the endpoint has Status and Electrical. */
    readonly electrical?: ElectricalRatings;
    /** What it measures, by attribute id of Measurement; needs `electrical`. */
    readonly measures?: readonly number[];
    /** Modes besides OFF that a charger follows, by value of ChargingMode: 3 needs Signals (bit 4 of the feature map), 4 Plan (bit 6). */
    readonly chargingModes?: readonly number[];
    /** With it the endpoint has EnergyControl; needs `electrical`. */
    readonly control?: ControlAbilities;
  }[];
}
