/**
 * Contract of a NOR-like flash partition. A program operation can only clear bits (1 → 0); an erase sets a whole sector to 0xFF.
 * Addresses are absolute, operations never cross a sector. A power cut may leave any prefix of an operation done.
 * All operations reject with an Error that says what and where; after `close` all reject.
 */
export interface FlashMedium {
  readonly sectorSize: number;
  readonly sectorCount: number;
  read(address: number, length: number): Promise<Uint8Array>;
  program(address: number, bytes: Uint8Array): Promise<void>;
  erase(sector: number): Promise<void>;
  /** Resolves when everything programmed and erased before survives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
