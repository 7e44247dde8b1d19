#!/usr/bin/env node
// Runs the test vectors of a directory: counts by family, and each difference. node run.js DIR [-v]

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { answerCase } from './src/operations.js';

const [directory, verbose] = process.argv.slice(2);
const total = { agree: 0, differ: 0, skipped: 0 };

// Times are compared as moments.
const isTime = (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);
const comparable = (value) => JSON.parse(JSON.stringify(value), (_, one) => (isTime(one) ? Date.parse(one) : one));

for (const file of readdirSync(directory).filter((name) => name.endsWith('.json') && name !== 'schema.json').sort()) {
  const { family, cases } = JSON.parse(readFileSync(join(directory, file), 'utf8'));
  const counts = { agree: 0, differ: 0, skipped: 0 };
  for (const { expect, comment, flags, ...one } of cases) {
    const answer = await answerCase(one);
    if (answer.skipped) {
      counts.skipped++;
      console.log(`${one.id}: skipped: ${answer.skipped}`);
      continue;
    }
    const different = Object.keys(expect).filter(
      (name) => answer[name] !== undefined && !isDeepStrictEqual(comparable(answer[name]), comparable(expect[name])),
    );
    counts[different.length === 0 ? 'agree' : 'differ']++;
    if (different.length === 0) continue;
    console.log(`${one.id} [${flags}] ${comment}`);
    for (const name of different) console.log(`  ${name}: ${JSON.stringify(answer[name])}, expected ${JSON.stringify(expect[name])}`);
    if (verbose) console.log(JSON.stringify(one));
  }
  console.log(`${family}: ${counts.agree} agree, ${counts.differ} differ, ${counts.skipped} skipped`);
  for (const name of Object.keys(total)) total[name] += counts[name];
}
console.log(`all: ${total.agree} agree, ${total.differ} differ, ${total.skipped} skipped`);
process.exitCode = total.differ > 0 ? 1 : 0;
