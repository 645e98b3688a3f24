import { type DeviceMessage, type DialectName, Status } from '../dialect/messages.js';
import { ReferenceCode, RenewalStatus } from '../dialect/reference.js';
import type { Failure, StateName } from './session-states.js';

/** Up to PASE_VERIFY a failure is carried by pase_confirm, later by cert_ack (protocol.md §2.7). */
const BEFORE_VERIFIED: readonly StateName[] = ['PASE_WAIT_X', 'PASE_COMPUTE', 'PASE_WAIT_V'];
const AFTER_CSR: readonly StateName[] = ['CERT_WAIT', 'CERT_INSTALL'];

/** The words of a dialect for a failure; undefined where it closes without an answer. `filler` are 32 bytes in the place of a MAC. */
export function failureAnswer(
  dialect: DialectName,
  failure: Failure,
  during: StateName,
  filler: () => Uint8Array,
): DeviceMessage | undefined {
  return dialect === 'draft' ? draftAnswer(failure, during) : referenceAnswer(failure, during, filler);
}

function draftAnswer(failure: Failure, during: StateName): DeviceMessage | undefined {
  // TC-PASE-4: the connection is closed.
  if (failure.status === 'badPoint') return undefined;
  const { status, text, retryAfter } = failure;
  if (!BEFORE_VERIFIED.includes(during)) return { type: 'certAck', status, text };
  return { type: 'paseConfirm', status, text, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** protocol.md §3, "Codes of 4 and 255". */
function referenceAnswer(failure: Failure, during: StateName, filler: () => Uint8Array): DeviceMessage | undefined {
  const error = (code: number, text: string, retryAfter = 0): DeviceMessage => ({ type: 'error', code, text, retryAfter });
  switch (failure.status) {
    case 'badPoint':
      return error(ReferenceCode.AUTHENTICATION_FAILED, 'invalid public key');
    case Status.TIMEOUT:
    case Status.INVALID_FORMAT:
      return undefined;
    case Status.VERIFICATION_FAILED:
      return { type: 'paseConfirm', status: ReferenceCode.CONFIRMATION_FAILED, verifier: filler() };
    case Status.DEVICE_BUSY:
      return error(ReferenceCode.BUSY, failure.text, failure.retryAfter ?? 0);
  }
  // protocol.md §3: after message 32, message 33 is the answer.
  if (AFTER_CSR.includes(during)) {
    return { type: 'certAck', status: failure.wrongKey === true ? RenewalStatus.INVALID_NONCE : renewalStatus(failure.status) };
  }
  switch (failure.status) {
    case Status.ZONE_FULL:
      return error(ReferenceCode.BUSY, 'zone slots full');
    case Status.ALREADY_COMMISSIONED:
      return error(ReferenceCode.ZONE_EXISTS, failure.text);
    default:
      return error(referenceCode(failure.status), failure.text);
  }
}

function referenceCode(status: Status): number {
  if (status === Status.KEY_GENERATION_ERROR) return ReferenceCode.CSR_FAILED;
  return status === Status.INTERNAL_ERROR ? ReferenceCode.INTERNAL : ReferenceCode.INSTALLATION_FAILED;
}

function renewalStatus(status: Status): number {
  return status === Status.INVALID_CERT ? RenewalStatus.INVALID_CERT : RenewalStatus.INSTALL_FAILED;
}
