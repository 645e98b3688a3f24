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
    readonly featureMap: number;
  }[];
}
