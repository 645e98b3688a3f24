import type { ConformanceCase } from '../case.js';
import { ADMIN } from './admin.js';
import { CERTIFICATES } from './certificates.js';
import { COMMISSIONING } from './commissioning.js';
import { CONTROL } from './control.js';
import { DISCOVERY } from './discovery.js';
import { PASE } from './pase.js';
import { SESSION } from './session.js';
import { TLS } from './tls.js';
import { WHOLE } from './whole.js';
import { ZONES } from './zones.js';

/** Every case, chapter by chapter. */
export const CASES: readonly ConformanceCase[] = [
  ...PASE,
  ...COMMISSIONING,
  ...ZONES,
  ...ADMIN,
  ...CERTIFICATES,
  ...TLS,
  ...DISCOVERY,
  ...SESSION,
  ...CONTROL,
  ...WHOLE,
];
