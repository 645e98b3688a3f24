import type { Probe } from './lab.js';
import { probeAutoResume, probeMeasurement, probeStatus } from './probes-behaviour.js';
import { probeCertificates } from './probes-certificates.js';
import { probeConversation, probeWaits, probeWindow, probeZones } from './probes-commissioning.js';
import { probeInterfaces, probeModel, probeRecords } from './probes-records.js';
import { probeConnections, probeFraming, probeKeepAlive, probeSubscriptions, probeTls } from './probes-transport.js';
import { probeDurations, probeFailsafe, probeRanks } from './probes-zones.js';

/** What looks at the running device, by what it looks at. */
export const PROBES: Readonly<Record<string, Probe>> = {
  TLS: probeTls,
  framing: probeFraming,
  'keep-alive': probeKeepAlive,
  connections: probeConnections,
  subscriptions: probeSubscriptions,
  window: probeWindow,
  waits: probeWaits,
  conversation: probeConversation,
  zones: probeZones,
  ranks: probeRanks,
  failsafe: probeFailsafe,
  durations: probeDurations,
  status: probeStatus,
  measurement: probeMeasurement,
  'auto-resume': probeAutoResume,
  records: probeRecords,
  model: probeModel,
  certificates: probeCertificates,
  interfaces: probeInterfaces,
};
