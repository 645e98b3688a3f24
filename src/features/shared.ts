/** Enumerations that several features use. */
export const Phase = { A: 0, B: 1, C: 2 } as const;
export const GridPhase = { L1: 0, L2: 1, L3: 2 } as const;
export const PhasePair = { AB: 0, BC: 1, CA: 2 } as const;
export const Direction = { CONSUMPTION: 0, PRODUCTION: 1, BIDIRECTIONAL: 2 } as const;
export const AsymmetricSupport = { NONE: 0, CONSUMPTION: 1, PRODUCTION: 2, BIDIRECTIONAL: 3 } as const;
