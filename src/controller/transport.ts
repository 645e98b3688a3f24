import type { SecureStream, TlsIdentity } from '../platform.js';
import type { DeviceAddress } from './zone.js';

/** What a connection is for. */
export type ConnectPurpose =
  /** `mash-comm/1`, without a client certificate. */
  | { readonly kind: 'commissioning' }
  /** `mash/1` with our certificate; `serverName` is the device's id (protocol.md §1). */
  | { readonly kind: 'operational'; readonly serverName: string; readonly identity: TlsIdentity }
  /** `mash/1` to the owner of a zone, without a certificate of ours: an admin has none (docs/protocol.md, "Admin delegation"). */
  | { readonly kind: 'owner' };

/** A connection to a device, TLS 1.3 done. Nothing has judged the device's certificate yet. */
export interface ClientConnection {
  readonly stream: SecureStream;
  /** X.509 DER of the device's leaf certificate. */
  readonly certificate: Uint8Array;
  /** How long the TCP connection took, and the handshake after it, milliseconds. */
  readonly tcpTime: number;
  readonly tlsTime: number;
}

/** How a controller reaches devices; tests put something in between. */
export interface Transport {
  /** Rejects with NetworkError where nobody answers, with ControllerError where the device refuses; nothing stays open then, nor after an abort. */
  connect(address: DeviceAddress, purpose: ConnectPurpose, signal: AbortSignal): Promise<ClientConnection>;
}
