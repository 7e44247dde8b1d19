#!/usr/bin/env node
// The protocol of the test vectors: one case a line on standard input, one answer a line on standard output.

import { createInterface } from 'node:readline';
import { answerCase } from './src/operations.js';

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() === '') continue;
  let id = '';
  let result;
  try {
    const one = JSON.parse(line);
    id = one?.id ?? '';
    result = await answerCase(one);
  } catch (error) {
    result = { skipped: `not understood: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify({ id, ...result })}\n`);
}
