// Checks who may know whom: `node scripts/check-imports.mjs [folder]`. The rules are in .dependency-cruiser.cjs.
import path from 'node:path';
import { cruise } from 'dependency-cruiser';
import config from '../.dependency-cruiser.cjs';

const ROOT = path.join(import.meta.dirname, '..');
const FOLDERS = ['src', 'hal', 'boards'];

/** Fewer modules mean that the checker did not understand the tree (it reads nothing with a TypeScript it does not know), not that all is well. */
const LEAST_MODULES = 50;

const folder = path.resolve(process.argv[2] ?? ROOT);
const { forbidden, options } = config;
const { output } = await cruise(FOLDERS, { ...options, baseDir: folder, validate: true, ruleSet: { forbidden } });
const { violations } = output.summary;
const modules = output.modules.filter((module) => FOLDERS.includes(module.source.split('/')[0]));
const imports = modules.reduce((sum, module) => sum + module.dependencies.length, 0);

for (const { rule, from, to, cycle } of violations) {
  const way = cycle === undefined ? to : cycle.map((step) => step.name).join(' → ');
  console.error(`imports: ${from} → ${way} (${rule.name})`);
}
const tooFew = modules.length < LEAST_MODULES || imports < LEAST_MODULES;
if (tooFew) console.error(`imports: only ${modules.length} modules with ${imports} imports were read; that is not the whole tree`);
console.log(`imports: ${modules.length} modules cruised, ${imports} imports, ${violations.length} violations`);
process.exitCode = tooFew || violations.length > 0 ? 1 : 0;
