import type { Clock } from '../platform.js';

/** One zone as a test sees it. */
export interface TestZone {
  readonly id: string;
  /** `ZoneType`: 0 TEST, 1 GRID_OPERATOR … */
  readonly type: number;
  readonly connected: boolean;
  /** Of its live session; 0 without one. */
  readonly subscriptions: number;
  /** `off`, `running`, … of the failsafe, as far as it concerns this zone. */
  readonly failsafe: string;
}

/** What TestControl may do with the device: the only way from a test to the runtime. Each call is complete when it returns or resolves. */
export interface TestHost {
  readonly zones: readonly TestZone[];
  readonly windowOpen: boolean;
  /** Opens the window without a cool-down; an open one begins anew. */
  openWindow(): void;
  closeWindow(): void;
  /** ms, from now on, an open window included; undefined: that of the profile. */
  setWindowDuration(duration: number | undefined): void;
  /** Seconds added to the time at which client certificates are judged. */
  clockOffset: number;
  readonly failedAttempts: number;
  /** Forgets failed attempts. */
  resetPace(): void;
  /** Forgets failed attempts, the cool-down, and who holds the lock: a former holder cannot release a newer one's. */
  resetCommissioning(): void;
  /** Every limit, setpoint, timer and the failsafe are as after a boot without them. */
  resetEnergy(): void;
  /** Rejects with StoreError; the zone stays then. */
  removeZone(zoneId: string): Promise<void>;
  /** How many were closed. */
  closePreOperational(): number;
  readonly preOperational: number;
  /** Of all sessions, which stay. */
  dropSubscriptions(): void;
  /** A pairing request that is still announced is seen afresh. */
  restartPairing(): void;
  readonly pairing: boolean;
  /** Fewer zones than slots, TEST not counted. */
  readonly slotFree: boolean;
  /** Test mode of profile `reference`: the window opens by itself, and disconnected zones make room (reference-behaviour §3.5). */
  readonly reference: boolean;
  readonly clock: Clock;
  /** Unix seconds; null while the clock was never set. */
  now(): number | null;
}
