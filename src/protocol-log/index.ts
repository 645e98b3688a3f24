import type { Clock, Log, Multicast, StreamListener } from '../platform.js';
import { type ProtocolLogSink, ProtocolRecorder } from './recorder.js';
import { tapListener } from './tap-listener.js';
import { tapLog } from './tap-log.js';
import { tapMulticast } from './tap-multicast.js';

export { encodeEntry, LOG_KINDS, type LogEntry, type LogEvent, type LogKind, LogReader } from './entry.js';
export type { ProtocolLogSink } from './recorder.js';

/** The ports that the protocol log listens at. */
export interface TappedPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly listener: StreamListener;
  readonly multicast: Multicast;
}

/**
 * The same ports, with every frame, every line of the log (state changes among them) and every record of ours on its way to `sink`, secrets
 * masked. The core knows nothing of it; a device without a protocol log runs none of this.
 */
export function tapped<T extends TappedPorts>(
  ports: T,
  about: { firmware: string; board: string; profile: string },
  sink: ProtocolLogSink,
): T {
  const recorder = new ProtocolRecorder(ports.clock, sink);
  recorder.record({ kind: 'start', ...about });
  return {
    ...ports,
    log: tapLog(ports.log, recorder),
    listener: tapListener(ports.listener, recorder),
    multicast: tapMulticast(ports.multicast, recorder),
  };
}
