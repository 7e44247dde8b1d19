// How a signature by Ed25519 is verified is left to OpenSSL. This shows that it does so by the equation of [J8b]: without cofactor.

import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as build from './build.js';
import { answerCase } from '../src/operations.js';

// RFC 8032, Section 5.1, in affine coordinates.
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (n, m = P) => ((n % m) + m) % m;
const power = (n, e) => (e === 0n ? 1n : mod(power(mod(n * n), e >> 1n) * (e & 1n ? n : 1n)));
const inverse = (n) => power(mod(n), P - 2n);
const D = mod(-121665n * inverse(121666n));
const BASE = [15112221349535400772501151409588531511454012693041857206046113283949847762202n, mod(4n * inverse(5n))];
const ORDER_2 = [0n, P - 1n];

function add([x1, y1], [x2, y2]) {
  const product = D * mod(x1 * x2) * mod(y1 * y2);
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + product)), mod((y1 * y2 + x1 * x2) * inverse(1n - product))];
}
const times = (n, point) => (n === 0n ? [0n, 1n] : add(times(n >> 1n, add(point, point)), n & 1n ? point : [0n, 1n]));
const little = (n) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse();
const encode = ([x, y]) => little(y | ((x & 1n) << 255n));
const hash = (...parts) => BigInt(`0x${createHash('sha512').update(Buffer.concat(parts)).digest().reverse().toString('hex')}`);

/** A key that signs by `how`: A has a part of order 2 or not, [k]A has it only if k is odd, and S may be too large. */
function makeKey({ mixed, odd, addL }) {
  const secret = 2n ** 251n + 12345n;
  const A = mixed ? add(times(secret, BASE), ORDER_2) : times(secret, BASE);
  const sign = (octets) => {
    for (let r = 7n; ; r++) {
      const R = encode(times(r, BASE));
      const k = mod(hash(R, encode(A), octets), L);
      if ((k & 1n) !== (odd ? 1n : 0n)) continue;
      return Buffer.concat([R, little(mod(r + k * secret, L) + (addL ? L : 0n))]);
    }
  };
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), encode(A)]);
  return { ...build.makeKey('EdDSA'), spki, sign };
}

test('the equation of Ed25519 [J8b]', async () => {
  for (const [reason, how] of [
    ['verified', {}],
    ['verified', { odd: true }],
    ['bad-signature', { addL: true }],
    ['verified', { mixed: true }],
    ['bad-signature', { mixed: true, odd: true }], // with a cofactor it would verify
  ]) {
    const root = build.issue({ name: 'Root', extensions: [build.authority()] });
    const signer = build.issue({ name: 'x', key: makeKey(how), issuer: root, extensions: [build.altNames(build.dns('b.example'))] });
    const pki = { root, signer, chain: [signer.der] };
    for (const body of [build.makeToken(pki), build.makeMessage(pki)]) {
      const answer = await answerCase(build.makeCase(pki, { body }));
      assert.equal(answer.reason, reason, JSON.stringify(how));
    }
  }
});
