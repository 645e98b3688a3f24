import { ConfigError } from '../errors.js';
import type { Pics } from '../pics/format.js';

export type ProfileName = 'draft' | 'reference';

/** Numbers that cases read, with the registry's value and that of the Go reference (pics-registry; protocol.md, table of profiles). */
const DEFAULTS: Readonly<Record<string, Readonly<Record<ProfileName, number>>>> = {
  'MASH.S.TRANS.MAX_MSG_SIZE': { draft: 65_536, reference: 8192 },
  'MASH.S.COMM.WINDOW_DURATION': { draft: 120, reference: 900 },
  // In no registry: MASH.S.COMM.PASE_TIMEOUT is the wait for the verifier.
  'MASH.S.COMM.PASE_WAIT_X': { draft: 30, reference: 5 },
  'MASH.S.COMM.CSR_TIMEOUT': { draft: 10, reference: 5 },
  'MASH.S.ZONE.MAX_ZONES': { draft: 5, reference: 2 },
};

/** What a device claims: a PICS that was read; where none is given, the numbers of a profile, and everything is tried. */
export class Claims {
  readonly profile: ProfileName;
  readonly #given: Pics | undefined;
  readonly #numbers: Readonly<Record<string, number>>;

  /** `numbers`: known of this device in place of the profile's. Throws ConfigError where a PICS has another than a whole number for one. */
  constructor(profile: ProfileName, given?: Pics, numbers: Readonly<Record<string, number>> = {}) {
    this.profile = profile;
    this.#given = given;
    this.#numbers = numbers;
    for (const code of Object.keys(DEFAULTS)) this.number(code);
  }

  /** Throws ConfigError where a PICS gives no whole number. */
  number(code: string): number {
    const value = this.#given?.get(code) ?? this.#numbers[code] ?? DEFAULTS[code]?.[this.profile];
    if (typeof value !== 'number' || !Number.isInteger(value)) throw new ConfigError(code, `a whole number is due, not '${value ?? ''}'`);
    return value;
  }

  /** False where the PICS leaves the code out, or says 0. */
  claims(code: string): boolean {
    return this.#given?.supports(code) ?? true;
  }
}
