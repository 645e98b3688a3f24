/** What can go wrong for a controller. The first four are the classes of connection-establishment §7.5. */
export type ControllerErrorCode =
  | 'NO_DEVICES_FOUND'
  | 'DISCRIMINATOR_MISMATCH'
  | 'ADDRESS_RESOLUTION_FAILED'
  | 'CONNECTION_FAILED'
  /** No zone in the folder yet, or no such device in the zone. */
  | 'NO_ZONE'
  | 'UNKNOWN_DEVICE'
  /** More than one device fits, and none was named. */
  | 'AMBIGUOUS_DEVICE'
  /** No interface can be used for multicast. */
  | 'NO_INTERFACE'
  /** The setup code is not the device's. */
  | 'WRONG_CODE'
  /** The peer is not the device, or does not prove that it is. */
  | 'NOT_TRUSTED'
  /** The device refuses in the protocol's words; `status` names them. */
  | 'REFUSED'
  /** The device's commissioning window is closed. */
  | 'WINDOW_CLOSED'
  | 'CONNECTION_LOST'
  | 'TIMEOUT'
  /** The device sent what is no message of the dialect. */
  | 'PROTOCOL';

/** What a user interface offers next (connection-establishment §7.5). */
export type RetryAction = 'browse' | 'scan_qr' | 'connect';

export interface ControllerErrorDetails {
  /** The protocol's name of a failing status: `ZONE_FULL`. */
  readonly status?: string;
  /** Milliseconds after which the device asks to try again. */
  readonly retryAfter?: number;
  /** What a user can do (connection-establishment §7.5). */
  readonly suggestions?: readonly string[];
  readonly retryAction?: RetryAction;
}

/** A controller's operation failed; the process and the zone are sound. */
export class ControllerError extends Error {
  override readonly name = 'ControllerError';
  readonly code: ControllerErrorCode;
  readonly details: ControllerErrorDetails;
  constructor(code: ControllerErrorCode, message: string, details: ControllerErrorDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
