import type { BoardDefinition } from '../src/model/board.js';
import { simEvse } from './sim-evse.js';

/** All boards by name. */
export const boards: ReadonlyMap<string, BoardDefinition> = new Map([[simEvse.name, simEvse]]);
