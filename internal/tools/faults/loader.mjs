// Speaks the protocol of the test vectors for one verifier after another. The operation "load" takes the one in the folder "address".

import { createInterface } from 'node:readline';

let verifier;
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const one = JSON.parse(line);
  let said;
  try {
    if (one.operation === 'load') {
      verifier = await import(`${one.address}/src/operations.js`);
      said = { reason: '' };
    } else {
      said = await verifier.answerCase(one);
    }
  } catch (error) {
    said = { outcome: 'error', reason: String(error) };
  }
  process.stdout.write(`${JSON.stringify({ id: one.id, ...said })}\n`);
}
