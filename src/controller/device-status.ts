import { type DeviceMessage, type DialectName, Status, statusName } from '../dialect/messages.js';
import { ReferenceCode, RenewalStatus } from '../dialect/reference.js';
import { ControllerError, type ControllerErrorDetails } from './errors.js';

/** Statuses that mean: this Zone CA has a zone on the device already. */
const KNOWN_ZONE: readonly string[] = ['ALREADY_COMMISSIONED', 'ZONE_EXISTS'];

/** A message that says no, as an error with the status' name; undefined for any other message. */
export function refusalOf(dialect: DialectName, message: DeviceMessage): ControllerError | undefined {
  switch (message.type) {
    case 'paseConfirm':
      if (message.status === Status.SUCCESS) return undefined;
      return dialect === 'draft'
        ? refused(statusName(message.status), message.text, message.retryAfter)
        : refused(nameIn(ReferenceCode, message.status), undefined);
    case 'certAck':
      if (message.status === Status.SUCCESS) return undefined;
      return refused(dialect === 'draft' ? statusName(message.status) : nameIn(RenewalStatus, message.status), message.text);
    case 'error': {
      const name = message.text?.includes('zone slots full') === true ? 'ZONE_FULL' : nameIn(ReferenceCode, message.code);
      return refused(name, message.text, message.retryAfter);
    }
    case 'close':
      return new ControllerError('CONNECTION_LOST', `The device closes the connection: ${message.reason ?? 'no reason given'}`);
    default:
      return undefined;
  }
}

export function meansKnownZone(error: unknown): boolean {
  return error instanceof ControllerError && error.code === 'REFUSED' && KNOWN_ZONE.includes(error.details.status ?? '');
}

function refused(status: string, text: string | undefined, retryAfter?: number): ControllerError {
  const said = text === undefined || text === '' ? status : `${status} (${text})`;
  const details: ControllerErrorDetails = retryAfter === undefined || retryAfter === 0 ? { status } : { status, retryAfter };
  if (status === 'VERIFICATION_FAILED' || status === 'CONFIRMATION_FAILED')
    return new ControllerError('WRONG_CODE', `The device refuses the setup code: ${said}`, details);
  return new ControllerError('REFUSED', `The device refuses: ${said}`, details);
}

function nameIn(table: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(table).find(([, candidate]) => candidate === value)?.[0] ?? `status ${value}`;
}
