// The two files that a signer is given. The specification has only the reasons and their meaning for this (section 13), so
// their order is that of the list there.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { fromBase64 } from './base64.js';
import { checkLinear, readAll } from './signer.js';
import { Refusal, answer } from './reasons.js';

const need = (condition, reason, what) => {
  if (!condition) throw new Refusal(reason, what);
};

export function signerFiles({ certificate, key, mode }) {
  need(typeof certificate === 'string', 'bad-file', 'no certificate');
  need(typeof key === 'string', 'bad-file', 'no key');

  const certificates = pemBlocks(certificate).filter(({ label }) => label === 'CERTIFICATE');
  need(certificates.length > 0, 'bad-pem', 'no certificate');
  const keyBlock = pemBlocks(key).find(({ label }) => label.endsWith('PRIVATE KEY'));
  need(keyBlock, 'bad-pem', 'no key');
  need(!keyBlock.label.startsWith('ENCRYPTED') && !/^Proc-Type:.*ENCRYPTED/m.test(keyBlock.text), 'key-encrypted');
  need((parseInt(mode, 8) & 0o004) === 0, 'key-readable');

  let privateKey;
  try {
    privateKey = createPrivateKey(keyBlock.text);
  } catch (error) {
    throw new Refusal('bad-pem', error.message);
  }
  // Each certificate is read, then it is the key's, then W2 and W1: again the order of the list of reasons.
  need(certificates.length <= 5, 'malformed-certificate', 'more than 5');
  const chain = readAll(certificates.map(({ octets }) => octets));
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  need(spki.equals(chain[0].spki), 'key-mismatch');
  checkLinear(chain);
  return answer('verified');
}

// RFC 7468, and the headers of RFC 1421 that old encrypted keys have.
function pemBlocks(text) {
  const blocks = text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)^-----END \1-----/gm);
  return [...blocks].map(([all, label, inner]) => {
    const octets = fromBase64(inner.replace(/\s/g, ''));
    return { label, text: `${all}\n`, octets: octets ?? Buffer.alloc(0) };
  });
}
