// The JWS encoding (section 4).

import { compactVerify } from 'jose';
import { fromBase64, fromBase64url } from './base64.js';
import { hasMembers, parseJson } from './json.js';
import { Refusal } from './reasons.js';
import { checkStatement, readClaims } from './statement.js';

// [J4]: the algorithms, each with the key of the signer.
const algorithms = new Map([
  ['ES256', 'P-256'],
  ['ES384', 'P-384'],
  ['RS256', 'RSA'],
  ['PS256', 'RSA'],
  ['EdDSA', 'Ed25519'],
]);

/** Steps 3 and 4 of the algorithm, for these octets. */
export function readJws(octets) {
  const token = octets.toString('latin1');

  // [J1]
  const parts = token.split('.').map(fromBase64url);
  if (parts.length !== 3 || !parts.every((part) => part?.length > 0)) throw new Refusal('malformed-token', 'the three parts');
  let header;
  try {
    header = parseJson(parts[0]); // [J7]
  } catch (error) {
    throw new Refusal('malformed-token', error.message);
  }

  // [J2], [J3], [J4]
  if (!hasMembers(header, ['alg', 'typ', 'x5c'])) throw new Refusal('bad-header', 'other members');
  const [algorithm, type, x5c] = ['alg', 'typ', 'x5c'].map((name) => header.get(name));
  if (typeof algorithm !== 'string' || typeof type !== 'string' || !Array.isArray(x5c)) throw new Refusal('bad-header', 'kinds');
  if (type !== 'dna+jwt') throw new Refusal('wrong-type', type);
  if (!algorithms.has(algorithm)) throw new Refusal('unsupported-algorithm', algorithm);

  // [J6]
  const certificates = x5c.map(fromBase64);
  if (certificates.length < 1 || certificates.length > 5 || !certificates.every((certificate) => certificate?.length > 0)) {
    throw new Refusal('malformed-certificate', 'x5c');
  }

  const statement = readClaims(parts[1]);
  checkStatement(statement);
  return {
    statement,
    certificates,
    checkAlgorithm: (signer) => algorithms.get(algorithm) === signer.key.kind, // [J5]
    checkIssuer: () => true, // only an attribute certificate has one
    // [J8]: jose verifies over the octets it is given. It is given one algorithm, and the key of the certificate; what it
    // reads in the header besides was all refused above.
    checkSignature: (signer) =>
      compactVerify(token, signer.key.object, { algorithms: [algorithm] }).then(
        () => true,
        () => false,
      ),
  };
}
