/** Version of this firmware: DeviceInfo attribute 10 and TXT key FW. */
export const FIRMWARE_VERSION = '0.1.0';
/** Unix seconds of 2026-11-01: a clock that shows less was never set (`pki/trusted-time`). */
export const EARLIEST_TIME = 1_793_491_200;
