import type { BoardDefinition } from '../src/model/board.js';
import { simEvse } from './sim-evse.js';
import { simHeatPump } from './sim-heat-pump.js';

/** All boards by name. */
export const boards: ReadonlyMap<string, BoardDefinition> = new Map([simEvse, simHeatPump].map((board) => [board.name, board]));
