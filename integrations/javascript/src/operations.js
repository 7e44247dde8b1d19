// The operations of the test vectors.

import { isAddressAllowed } from './address.js';
import { associate } from './associate.js';
import { attempts } from './attempts.js';
import { dnssecState, selfTest } from './dnssec.js';
import { Refusal, answer } from './reasons.js';
import { reuse } from './reuse.js';
import { signerFiles } from './signerfiles.js';
import { verify } from './verify.js';

const operations = {
  verify,
  associate,
  reuse,
  attempts,
  dnssec: dnssecState,
  'self-test': selfTest,
  address: ({ address }) => answer(isAddressAllowed(address) ? 'verified' : 'address-not-allowed'), // [H6]
  'signer-files': signerFiles,
};

/** The answer to one case; never throws. */
export async function answerCase(one) {
  const operation = one?.operation;
  if (!Object.hasOwn(operations, operation)) return { skipped: `no operation ${operation}` };
  if (one.features?.length > 0) return { skipped: `no optional parts: ${one.features}` };
  try {
    return await operations[operation](one);
  } catch (error) {
    if (error instanceof Refusal) return answer(error.reason);
    return { skipped: `a fault of this program: ${error.stack ?? error}` };
  }
}
