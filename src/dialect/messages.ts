/**
 * The commissioning conversation, free of wire form (commissioning-pase §4). Both dialects say the same things in different words:
 * a state machine sees these messages, `draft.ts` and `reference.ts` write them.
 */
export type DialectName = 'draft' | 'reference';

/** commissioning-pase §6.2, and 16 of protocol.md §2.9. */
export const Status = {
  SUCCESS: 0,
  VERIFICATION_FAILED: 1,
  TIMEOUT: 2,
  ZONE_FULL: 3,
  ALREADY_COMMISSIONED: 4,
  INVALID_CERT: 5,
  STORAGE_ERROR: 6,
  KEY_GENERATION_ERROR: 7,
  INVALID_FORMAT: 8,
  INTERNAL_ERROR: 9,
  DEVICE_BUSY: 16,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

export function statusName(status: number): string {
  for (const [name, value] of Object.entries(Status)) if (value === status) return name;
  return `status ${status}`;
}

/** What a controller says. */
export type ControllerMessage =
  | { readonly type: 'paseX'; readonly point: Uint8Array; readonly context?: Uint8Array; readonly identity?: Uint8Array }
  | { readonly type: 'paseVerify'; readonly verifier: Uint8Array }
  | { readonly type: 'attestationReq' }
  | { readonly type: 'csrReq'; readonly nonce: Uint8Array; readonly zoneCa?: Uint8Array }
  | {
      readonly type: 'certInstall';
      readonly certificate: Uint8Array;
      readonly zoneCa?: Uint8Array;
      readonly zoneType?: number;
      readonly priority?: number;
      readonly adminToken?: Uint8Array;
      readonly sequence?: number;
    }
  | { readonly type: 'close'; readonly reason?: string }
  | { readonly type: 'closeAck' };

/** What a device says. */
export type DeviceMessage =
  | { readonly type: 'paseY'; readonly point: Uint8Array; readonly verifier?: Uint8Array }
  | {
      readonly type: 'paseConfirm';
      readonly status: number;
      readonly text?: string;
      readonly retryAfter?: number;
      readonly verifier?: Uint8Array;
    }
  | { readonly type: 'attestationRsp'; readonly certificate: Uint8Array; readonly chain: readonly Uint8Array[] }
  | { readonly type: 'csrRsp'; readonly csr: Uint8Array; readonly nonceHash?: Uint8Array }
  | { readonly type: 'certAck'; readonly status: number; readonly text?: string; readonly sequence?: number }
  | { readonly type: 'error'; readonly code: number; readonly text?: string; readonly retryAfter: number }
  | { readonly type: 'close'; readonly reason?: string }
  | { readonly type: 'closeAck' };

export type CommissioningMessage = ControllerMessage | DeviceMessage;
