import type { Commissioner } from '../commissioning/commissioner.js';
import type { ZoneSessions } from '../interaction/zone-sessions.js';
import { deviceIdOfServerName } from '../session/routing.js';
import type { TlsIdentities } from '../zones/tls-identities.js';
import type { ZoneTable } from '../zones/zone-table.js';
import type { CommissioningIdentity } from './certificate.js';
import type { PortsHandlers } from './ports.js';
import type { DeviceRemote } from './remote.js';

export interface DeviceRoutingParts {
  readonly zones: ZoneTable;
  readonly identities: TlsIdentities;
  readonly commissioning: CommissioningIdentity;
  readonly commissioner: Commissioner;
  readonly sessions: ZoneSessions;
  readonly remote: DeviceRemote | undefined;
}

/** Whose certificate a ClientHello is answered with, and who takes the connection after the handshake (protocol.md §1). */
export function deviceRouting({
  zones,
  identities,
  commissioning,
  commissioner,
  sessions,
  remote: home,
}: DeviceRoutingParts): PortsHandlers {
  return {
    state: () => ({ windowOpen: commissioner.windowOpen, hasZone: zones.count > 0 }),
    decide: (route, serverName, remote) => {
      if (route.kind === 'commissioning') {
        if (home?.mayCommission(remote) === false) return { kind: 'refuse', alert: 120, reason: 'commissioning from outside of the home' };
        commissioner.expect();
        return { ...route, kind: 'commissioning', identity: commissioning.current() };
      }
      const deviceId = serverName === undefined ? undefined : deviceIdOfServerName(serverName);
      const identity = identities.choose(deviceId, remote);
      return identity === undefined ? { kind: 'refuse', alert: 80, reason: 'no zone' } : { ...route, kind: 'operational', identity };
    },
    onSecure: (stream, connection) => {
      if (stream.kind === 'commissioning') {
        commissioner.accept(stream, connection);
        return 'commissioning';
      }
      return sessions.accept(stream) ? 'operational' : 'refused';
    },
  };
}
