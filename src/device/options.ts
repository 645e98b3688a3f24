import type { FlashMedium } from '../../hal/index.js';
import type { BoardDefinition } from '../model/board.js';
import type { Clock, Crypto, Log, Multicast, PortMapper, PortOpening, StreamListener } from '../platform.js';
import type { Profile } from '../profile.js';
import type { TestControl } from '../test-control/test-control.js';
import type { CertificateState } from '../zones/certificate-state.js';
import type { EnergyStatus } from './energy.js';
import type { IdentityOptions } from './identity.js';
import type { DeviceParts } from './panel.js';

/** The machine under the runtime. */
export interface Platform {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly listener: StreamListener;
  readonly multicast: Multicast;
  readonly medium: FlashMedium;
  /** For `remote.portMapping` alone. */
  readonly portMapper?: PortMapper;
}

export interface DeviceOptions {
  readonly profile: Profile;
  readonly board: BoardDefinition;
  readonly parts: DeviceParts;
  readonly platform: Platform;
  readonly identity: IdentityOptions;
  readonly firmware: string;
  /** Unix seconds: the earliest time at which this firmware can run. */
  readonly earliest: number;
  /** TCP port, operational and commissioning; 0 asks for any. */
  readonly port: number;
  /** TCP port of commissioning alone. */
  readonly commissioningPort: number;
  /** Opens the window at start whatever the board and the profile say. */
  readonly openWindow: boolean;
  /** Test builds with an enable key alone. */
  readonly testControl?: TestControl;
}

export interface ZoneStatus {
  readonly id: string;
  readonly name: string;
  readonly type: number;
  readonly connected: boolean;
  /** Of the device's own certificate in this zone. */
  readonly certificate: CertificateState;
  /** Its end, Unix seconds. */
  readonly expiresAt: number;
}

/** The port on the home's router, as seen from outside. */
export interface RemoteStatus {
  /** Open there until the monotonic time `until`, unless renewed; undefined while it is not. */
  readonly opening: (Omit<PortOpening, 'lease'> & { readonly until: number }) | undefined;
  /** Why it is not open, or why the last renewal failed. */
  readonly problem: string | undefined;
}

/** What can be seen of the device from outside. */
export interface DeviceStatus {
  readonly serialNumber: string;
  readonly discriminator: number;
  readonly port: number;
  /** The QR's text while the window is open. */
  readonly qr: string | undefined;
  /** Monotonic end of the window while it is open. */
  readonly windowUntil: number | undefined;
  readonly zones: readonly ZoneStatus[];
  /** Service instances whose name another device on the link has (RFC 6762 §9): ours are not published there until it leaves. */
  readonly nameConflicts: readonly string[];
  /** Of the port on the home's router; undefined where it is not wanted. */
  readonly remote: RemoteStatus | undefined;
  /** Of each endpoint that zones control. */
  readonly energy: readonly EnergyStatus[];
  /** mW drawn now; undefined without a power stage. */
  readonly power: number | undefined;
  readonly relayClosed: boolean | undefined;
  /** What to say of a test build with an enable key, which a TEST zone may command; undefined otherwise. The text is in no production bundle. */
  readonly testMode: string | undefined;
}
