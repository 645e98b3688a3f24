/** ControlState: 0–4 as in the feature's table. */
export const Control = { AUTONOMOUS: 0, CONTROLLED: 1, LIMITED: 2, FAILSAFE: 3, OVERRIDE: 4 } as const;
export type Control = (typeof Control)[keyof typeof Control];

/** What the control state depends on. TEST zones count nowhere. */
export interface ControlFacts {
  readonly override: boolean;
  readonly failsafe: boolean;
  readonly connected: boolean;
  /** An effective power or phase limit is not null, curtailing or not. */
  readonly limitInForce: boolean;
  readonly setpointInForce: boolean;
  /** A zone returned from FAILSAFE and no limit has changed since; profile `reference` alone looks at it. */
  readonly returned: boolean;
}

/** `d`: draft, `r`: reference (features.md, head). */
export type ControlVariant = 'd' | 'r';

/** features.md §1: "First that holds". */
export function controlRule(variant: ControlVariant, facts: ControlFacts): Control {
  if (facts.override) return Control.OVERRIDE;
  if (facts.failsafe) return Control.FAILSAFE;
  if (variant === 'r') return facts.returned || facts.limitInForce || facts.setpointInForce ? Control.CONTROLLED : Control.AUTONOMOUS;
  if (!facts.connected) return Control.AUTONOMOUS;
  return facts.limitInForce ? Control.LIMITED : Control.CONTROLLED;
}

/**
 * The rows of features.md §1. `valuesChanged`: limits or setpoints came, went, ended with their duration or with their zone, which was not the last.
 * `failsafeOver`: duration and grace are. `overrideOff`: by the button, its own end, or its cause. `reset`: for tests alone, everything is derived
 * anew.
 */
export type ControlEvent =
  | 'zoneConnected'
  | 'valuesChanged'
  | 'connectionLost'
  | 'lastConnectionLost'
  | 'failsafeOver'
  | 'overrideOn'
  | 'overrideOff'
  | 'lastZoneRemoved'
  | 'boot'
  | 'reset';

const { AUTONOMOUS: A, CONTROLLED: C, LIMITED: L, FAILSAFE: F, OVERRIDE: O } = Control;

/** From which states an event may lead elsewhere; from the others it changes nothing ("–"). */
const TABLE: Readonly<Record<ControlVariant, Readonly<Record<ControlEvent, readonly Control[]>>>> = {
  d: {
    zoneConnected: [A, C, L, F],
    valuesChanged: [C, L],
    connectionLost: [],
    lastConnectionLost: [C, L, O],
    failsafeOver: [F],
    overrideOn: [A, C, L, F],
    overrideOff: [O],
    lastZoneRemoved: [C, L, F, O],
    boot: [A],
    reset: [A, C, L, F, O],
  },
  r: {
    zoneConnected: [A, C, F],
    valuesChanged: [A, C],
    connectionLost: [A, C],
    lastConnectionLost: [A, C, O],
    failsafeOver: [F],
    overrideOn: [A, C, F],
    overrideOff: [O],
    lastZoneRemoved: [C, F, O],
    boot: [A],
    reset: [A, C, F, O],
  },
};

export function nextControl(variant: ControlVariant, state: Control, event: ControlEvent, facts: ControlFacts): Control {
  return TABLE[variant][event].includes(state) ? controlRule(variant, facts) : state;
}
